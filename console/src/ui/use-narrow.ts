import { useSyncExternalStore } from "react";

// As `sm` of the stylesheet begins.
const narrow = matchMedia("(width < 40rem)");

function onChange(listener: () => void): () => void {
  narrow.addEventListener("change", listener);
  return () => narrow.removeEventListener("change", listener);
}

/** True: there is no room for a table. */
export function useIsNarrow(): boolean {
  return useSyncExternalStore(onChange, () => narrow.matches);
}
