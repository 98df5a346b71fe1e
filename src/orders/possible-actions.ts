import { isEdge, type JobStatus, type OrderStatus } from "./states.ts";
import { onRetry } from "./transitions.ts";

export const OPERATOR_ACTIONS = ["retry", "resend", "resolve", "cancel", "close"] as const;
export type OperatorAction = (typeof OPERATOR_ACTIONS)[number];

/** What an operator can do now. */
export interface PossibleAction {
  readonly action: OperatorAction;
  /** When it is the right thing, and what it does. */
  readonly advice: string;
  /** The arguments of the command line that does it. */
  readonly command: string;
}

export interface ActionFacts {
  readonly id: number;
  readonly status: OrderStatus;
  /** Ticketing has issued tickets that could not be read. */
  readonly ticketsUnread: boolean;
  readonly endsAs: JobStatus | null;
  /** The gateway is held. */
  readonly held: boolean;
}

/** The engine alone makes an order ticketed that is being worked. While the gateway is held, none is. */
export function mayBeTicketedByHand(status: OrderStatus, held: boolean): boolean {
  if (status === "accepted" || status === "ticketing_processing") return held;
  return isEdge(status, "ticketed");
}

/** What can be done about an order (SPEC section 4, the operator's edges), what helps most first. */
export function possibleActions(facts: ActionFacts): PossibleAction[] {
  const { id, status } = facts;
  const act = (action: OperatorAction, advice: string, options = ""): PossibleAction => ({
    action,
    advice,
    command: `order ${action} ${id}${options} --reason '...'`,
  });
  const ticketed = act(
    "resolve",
    "When ticketing has issued the tickets: enter their codes, and the partner is told",
    " --ticketed --code ...",
  );
  const asked = [
    ticketed,
    act("resolve", "When ticketing knows nothing of the order: it is asked again", " --not-ticketed"),
  ];
  const retry = onRetry(status) === null ? [] : [act("retry", RETRY[status] ?? "Begin a new run")];
  const resolve = mayBeTicketedByHand(status, facts.held) ? [ticketed] : [];
  const isUnsure = status === "ticketing_unknown";
  return [
    ...(isUnsure ? asked : facts.ticketsUnread ? resolve : []),
    ...retry,
    ...(isUnsure || facts.ticketsUnread ? [] : resolve),
    ...(status === "ota_callback_delivered"
      ? [act("resend", "When the partner says that it has lost it: the same event is sent again")]
      : []),
    ...(isEdge(status, "cancelled") && facts.endsAs !== "cancelled"
      ? [act("cancel", "When the tickets are not wanted any more: end the order")]
      : []),
    ...(isEdge(status, "closed")
      ? [act("close", "When it was settled outside of the gateway: nothing more is done")]
      : []),
  ];
}

const RETRY: Partial<Record<OrderStatus, string>> = {
  ticketing_blocked: "When the cause is gone: ask ticketing again, with the same Idempotency-Key",
  ticketing_exhausted: "When ticketing is well again: begin a new run of attempts",
  ticketing_unknown: "If ticketing honours the Idempotency-Key: ask it again, which can't buy twice then",
  ota_callback_blocked: "When the cause is gone: call the partner again, with the same bytes",
  ota_callback_exhausted: "When the partner can be reached again: begin a new run of attempts",
};
