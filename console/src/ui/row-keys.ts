import type { RefObject } from "react";
import { useKeys } from "./keys.ts";

/**
 * `j` and `k` walk along the rows of a list, `x` marks one. The row is where the focus is, so that Enter opens it and readers of
 * screens hear it: each row has one link with `data-row`, and may have a checkbox.
 */
export function useRowKeys(list: RefObject<HTMLElement | null>): void {
  const links = (): HTMLElement[] => [...(list.current?.querySelectorAll<HTMLElement>("[data-row]") ?? [])];
  const placeOf = (all: readonly HTMLElement[]): number =>
    all.findIndex((link) => link.closest("tr, li")?.contains(document.activeElement));
  const step = (by: number): void => {
    const all = links();
    const from = placeOf(all);
    const to = from === -1 ? 0 : Math.min(all.length - 1, Math.max(0, from + by));
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
