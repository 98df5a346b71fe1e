import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "../../api/client.ts";
import { orderQuery } from "../../api/page-queries.ts";
import type { OrderStory } from "../../api/types.ts";
import { useMayAct } from "../../session/session.ts";
import { Button } from "../../ui/button.tsx";
import { EyeIcon } from "../../ui/icons.tsx";
import { ProblemNotice } from "../../ui/notice.tsx";

interface Props {
  readonly story: OrderStory;
  readonly revealed: OrderStory | null;
  readonly onReveal: (story: OrderStory | null) => void;
}

/** Whether the buyer's data stands in the texts below it, and the way to it. */
export function BuyerBar({ story, revealed, onReveal }: Props) {
  const mayAct = useMayAct();
  const queries = useQueryClient();
  const [state, setState] = useState<{ readonly isBusy: boolean; readonly error: unknown }>({
    isBusy: false,
    error: null,
  });
  // Neither a query nor a mutation: both would keep the answer.
  const reveal = async (): Promise<void> => {
    setState({ isBusy: true, error: null });
    try {
      const path = `admin/orders/${story.order.id}`;
      onReveal(await call<OrderStory>(path, { query: { reveal: "buyer" } }));
      setState({ isBusy: false, error: null });
      await queries.invalidateQueries({ queryKey: orderQuery(story.order.id).queryKey });
    } catch (error) {
      setState({ isBusy: false, error });
    }
  };
  return (
    <div className="flex flex-col gap-2 border-b border-line px-3 py-1.5">
      <div className="flex min-h-8 flex-wrap items-center justify-between gap-2">
        <p className={revealed ? "font-medium text-wait" : "text-ink-2"} role="status">
          {wordsOf(story, revealed, mayAct)}
        </p>
        {revealed && <Button onClick={() => onReveal(null)}>Hide again</Button>}
        {!revealed && mayAct && story.buyer === "masked" && (
          <Button onClick={() => void reveal()} busy={state.isBusy && "Asking"}>
            <EyeIcon />
            Show buyer's data
          </Button>
        )}
      </div>
      {state.error !== null && <ProblemNotice error={state.error} onRetry={() => void reveal()} />}
    </div>
  );
}

function wordsOf(story: OrderStory, revealed: OrderStory | null, mayAct: boolean): string {
  if (story.buyer === "blanked") return "The buyer's data has been deleted.";
  if (revealed === null) {
    return `The buyer's data is masked.${mayAct ? " Showing it is recorded with your name." : ""}`;
  }
  const hasMoved = attemptsIn(story) !== attemptsIn(revealed);
  return `The buyer's data is shown, which is on record.${
    hasMoved ? " The order has moved on since: hide it to see how it stands." : ""
  }`;
}

function attemptsIn({ timeline }: OrderStory): number {
  return timeline.filter(({ what }) => what !== "action").length;
}
