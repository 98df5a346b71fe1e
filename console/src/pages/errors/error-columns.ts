import { useMayAct } from "../../session/session.ts";
import { useIsNarrow } from "../../ui/use-narrow.ts";

export interface Columns {
  /** True: only the error and its counts; the rest lies below each error. */
  readonly isNarrow: boolean;
  /** True: what can be done stands in a column of its own. */
  readonly hasActs: boolean;
}

export function useColumns(): Columns {
  const isNarrow = useIsNarrow();
  const mayAct = useMayAct();
  return { isNarrow, hasActs: mayAct && !isNarrow };
}
