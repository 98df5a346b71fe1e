import type { ErrorGroup } from "../../api/types.ts";
import { count } from "../../format/words.ts";
import { Button } from "../../ui/button.tsx";
import { RetryIcon } from "../../ui/icons.tsx";
import { titleOf } from "./error-words.ts";

export interface RetryProps {
  readonly group: ErrorGroup;
  readonly atLeast: boolean;
  /** The only one whose orders are meant. */
  readonly partner: string | undefined;
  /** Null: the reader may not act. */
  readonly onRetry: (() => void) | null;
  /** Somebody is about to. */
  readonly onRetryNear: () => void;
}

/** Nothing where nothing stands still, or for readers who may not act. */
export function ErrorRetry({ group, partner, atLeast, onRetry, onRetryNear }: RetryProps) {
  if (onRetry === null || group.standing === 0) return null;
  // Of one partner alone it isn't known how many they are: the dialog counts them.
  const isCounted = partner === undefined || group.partners.length === 1;
  return (
    <Button onClick={onRetry} onPointerEnter={onRetryNear} onFocus={onRetryNear} className="px-2!">
      <RetryIcon className="size-3.5" />
      Retry{isCounted && ` ${atLeast ? "≥ " : ""}${count(group.standing)}`}
      <span className="sr-only">: {titleOf(group)}</span>
    </Button>
  );
}
