import type { FastifyReply } from "fastify";
import { type Static, Type } from "typebox";
import { ORDER_STATUSES } from "../orders/states.ts";
import type { Standing } from "../storage/standings.ts";
import { EXAMPLE_TICKETED } from "./example-order.ts";
import { AcceptedView } from "./order-view.ts";
import { Problem } from "./problem-reply.ts";

/** Longer than a customer waits before a screen, shorter than the patience of usual proxies. */
const MAX_WAIT_SECS = 30;

const MEANING = `whole seconds from 0 to ${MAX_WAIT_SECS} that the answer may wait for the tickets`;

export const WaitQuery = Type.Object({
  wait: Type.Optional(
    Type.Integer({ minimum: 0, maximum: MAX_WAIT_SECS, description: MEANING, examples: [20] }),
  ),
});

/** What the 201 says: the six fields, and where `wait` was asked also where the order stands by then. */
export const AwaitedView = Type.Object({
  ...AcceptedView.properties,
  status: Type.Optional(
    Type.Enum([...ORDER_STATUSES], {
      description: "with `wait` alone: where the order stands now",
      examples: ["ota_callback_pending"],
    }),
  ),
  reference: Type.Optional(
    Type.Union([Type.String(), Type.Null()], {
      description: "with `wait` alone, once the order is ticketed: ticketing's",
      examples: [EXAMPLE_TICKETED.reference],
    }),
  ),
  tickets: Type.Optional(
    Type.Array(Type.Unknown(), {
      description:
        "with `wait` alone, once the order is ticketed: as ticketing gave them, objects or strings",
      examples: [EXAMPLE_TICKETED.tickets],
    }),
  ),
});
export type AwaitedView = Static<typeof AwaitedView>;

/**
 * The `wait` of `POST /orders` in milliseconds, or null where nobody asked for it.
 * @throws Problem 400 when it is no whole number from 0 to 30, or given twice
 */
export function readWaitMs(query: object): number | null {
  const { wait } = query as { wait?: unknown };
  if (wait === undefined) return null;
  const secs = typeof wait === "string" && /^(0|[1-9][0-9]?)$/.test(wait) ? Number(wait) : Infinity;
  if (secs <= MAX_WAIT_SECS) return secs * 1000;
  const detail = typeof wait === "string" ? `must be ${MEANING}` : "must be given once";
  throw new Problem("invalid-query", { errors: [{ pointer: "/wait", detail }] });
}

/** Aborted when the client closes its connection before the answer, or has while its order was taken. */
export function clientGone({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController();
  if (raw.closed) gone.abort();
  else raw.once("close", () => gone.abort());
  return gone.signal;
}

export function awaitedView(accepted: AcceptedView, standing: Standing | null): AwaitedView {
  if (standing === null) return accepted;
  const { status, reference, tickets } = standing;
  return { ...accepted, status, ...(tickets === null ? {} : { reference, tickets: [...tickets] }) };
}
