import { type RefObject, useEffect, useEffectEvent } from "react";
import { useKeys } from "./keys.ts";

/** The row that was in focus last, on whatever page: who comes back from an order goes on from there. */
let last = { href: "", place: 0 };

/**
 * `j` and `k` walk along the rows of a list, `x` marks one. The row is where the focus is, so that Enter opens it and readers of
 * screens hear it: each row has one link with `data-row`, and may have a checkbox.
 */
export function useRowKeys(list: RefObject<HTMLElement | null>): void {
  const links = (): HTMLAnchorElement[] => [
    ...(list.current?.querySelectorAll<HTMLAnchorElement>("[data-row]") ?? []),
  ];
  const placeOf = (all: readonly HTMLElement[]): number =>
    all.findIndex((link) => link.closest("tr, li")?.contains(document.activeElement));
  const remember = useEffectEvent(() => {
    const all = links();
    const place = placeOf(all);
    if (place !== -1) last = { href: all[place]!.href, place };
  });
  useEffect(() => {
    const listener = (): void => remember();
    document.addEventListener("focusin", listener);
    return () => document.removeEventListener("focusin", listener);
  }, []);
  const step = (by: number): void => {
    const all = links();
    const from = placeOf(all);
    const to = from === -1 ? placeToBeginAt(all) : Math.min(all.length - 1, Math.max(0, from + by));
    all[to]?.focus();
    all[to]?.closest("tr, li")?.scrollIntoView({ block: "nearest" });
  };
  useKeys({
    j: () => step(1),
    k: () => step(-1),
    x: () => {
      const row = document.activeElement?.closest("tr, li");
      if (list.current?.contains(row ?? null))
        row?.querySelector<HTMLInputElement>("input[type=checkbox]")?.click();
    },
  });
}

/** An order may have two rows, of which one is pinned: the place tells which it was, unless the rows have moved. */
function placeToBeginAt(all: readonly HTMLAnchorElement[]): number {
  if (all[last.place]?.href === last.href) return last.place;
  return Math.max(
    0,
    all.findIndex(({ href }) => href === last.href),
  );
}
