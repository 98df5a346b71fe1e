import type { MarkedTicketed } from "../storage/operator-actions.ts";
import type { Act } from "../storage/operator-record.ts";
import type { Storage } from "../storage/open.ts";
import { ticketedOrder } from "./ticketed.ts";

/** What ticketing has issued, as a person has read it there. */
export interface TicketsByHand {
  readonly tickets: readonly string[];
  readonly reference: string | null;
}

/** Makes an order ticketed by hand, with the event that its partner is told. */
export async function resolveTicketed(
  {
    orders,
    operatorActions,
  }: {
    readonly orders: Pick<Storage["orders"], "story">;
    readonly operatorActions: Pick<Storage["operatorActions"], "markTicketed">;
  },
  id: number,
  { tickets, reference }: TicketsByHand,
  act: Act,
  nowMs: number,
): Promise<MarkedTicketed> {
  const story = await orders.story(id, null);
  if (story === null) return { kind: "not_found" };
  const { external_order_id: externalOrderId, trace_id: traceId } = story.order;
  const { items } = story;
  const ticketed = ticketedOrder({ id, externalOrderId, traceId, items, reference, tickets }, nowMs);
  return operatorActions.markTicketed(id, ticketed, act, null);
}
