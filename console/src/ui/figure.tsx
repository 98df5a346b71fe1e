import { count } from "../format/words.ts";

/** A count; `atLeast`: there is more than was worth counting. */
export function Figure({ value, atLeast = false }: { readonly value: number; readonly atLeast?: boolean }) {
  return (
    <span className="num whitespace-nowrap">
      {atLeast && value > 0 && (
        <>
          <span aria-hidden="true">≥ </span>
          <span className="sr-only">at least </span>
        </>
      )}
      {count(value)}
    </span>
  );
}
