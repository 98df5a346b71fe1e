import { useState } from "react";

/** What is marked in a list: rows, or all that match, loaded or not. */
export interface Marks {
  readonly ids: ReadonlySet<number>;
  readonly isAll: boolean;
  /** @param isRange from the row that was marked before, up to and with this one */
  toggle(id: number, isRange: boolean): void;
  markAll(ids: readonly number[], andAllThatMatch: boolean): void;
  clear(): void;
}

const NONE: ReadonlySet<number> = new Set();

/** @param order the ids as they stand in the list */
export function useMarks(order: readonly number[]): Marks {
  const [ids, setIds] = useState(NONE);
  const [isAll, setAll] = useState(false);
  const [last, setLast] = useState<number | null>(null);
  return {
    ids,
    isAll,
    toggle(id, isRange) {
      const isMarked = ids.has(id);
      const [from, to] = [last === null ? -1 : order.indexOf(last), order.indexOf(id)].toSorted(
        (a, b) => a - b,
      );
      const those = isRange && from! >= 0 ? order.slice(from, to! + 1) : [id];
      const next = new Set(ids);
      for (const each of those) {
        if (isMarked) next.delete(each);
        else next.add(each);
      }
      setIds(next);
      setLast(id);
      setAll(false);
    },
    markAll(all, andAllThatMatch) {
      setIds(new Set(all));
      setAll(andAllThatMatch);
    },
    clear() {
      setIds(NONE);
      setAll(false);
      setLast(null);
    },
  };
}
