import { type FocusEvent, type PointerEvent, useState } from "react";

/**
 * Keeps the rows of a list where they are while somebody points at it or walks in it by the keyboard: what is counted anew must not
 * move under a hand. What comes meanwhile stands at the end.
 *
 * @returns the items in the order to show them, and what the list's element listens to
 */
export function useSteady<T>(items: readonly T[], keyOf: (item: T) => string) {
  const [kept, setKept] = useState<readonly string[] | null>(null);
  const keep = (): void => setKept((before) => before ?? items.map(keyOf));
  const listeners = {
    onPointerEnter: keep,
    onPointerLeave({ currentTarget }: PointerEvent) {
      if (!currentTarget.querySelector(":focus-visible")) setKept(null);
    },
    onFocus({ target }: FocusEvent) {
      if (target.matches(":focus-visible")) keep();
    },
    onBlur({ currentTarget, relatedTarget }: FocusEvent) {
      if (!currentTarget.contains(relatedTarget) && !currentTarget.matches(":hover")) setKept(null);
    },
  };
  return [kept === null ? items : inOrderOf(kept, items, keyOf), listeners] as const;
}

function inOrderOf<T>(
  keys: readonly string[],
  items: readonly T[],
  keyOf: (item: T) => string,
): readonly T[] {
  const places = new Map(keys.map((key, place) => [key, place]));
  const placeOf = (item: T): number => places.get(keyOf(item)) ?? keys.length;
  return items.toSorted((one, other) => placeOf(one) - placeOf(other));
}
