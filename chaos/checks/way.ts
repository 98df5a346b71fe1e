import type { OrderStatus } from "../../src/orders/states.ts";
import type { Evidence } from "../evidence.ts";
import { requestNamedIn } from "../recording.ts";
import { eachOrder, invariant, type Invariant } from "./invariant.ts";

/** SPEC section 4's map as far as no operator and no circuit moves an order, written down once more. */
const WAY: Partial<Record<OrderStatus, readonly OrderStatus[]>> = {
  accepted: ["ticketing_processing"],
  ticketing_processing: ["ticketed", "ticketing_blocked", "ticketing_exhausted", "ticketing_unknown"],
  // By a late 2xx.
  ticketing_exhausted: ["ticketed"],
  ticketed: ["ota_callback_pending"],
  ota_callback_pending: ["ota_callback_delivered", "ota_callback_blocked", "ota_callback_exhausted"],
};

function canReach(from: OrderStatus, to: OrderStatus): boolean {
  return from === to || (WAY[from] ?? []).some((next) => canReach(next, to));
}

/** How far a ticketing claim may have begun before the ticketed order was committed. */
const COMMIT_SLACK_MS = 250;

/** Orders go their way to its end, and along the map. */
export function checkWay(evidence: Evidence): Invariant[] {
  const { sightings, orders, faultLog } = evidence;
  const byId = new Map(orders.map((order) => [order.row.id, order]));
  return [
    eachOrder(
      "every order is delivered at the end",
      evidence,
      ({ row }) =>
        row.pipeline_status !== "ota_callback_delivered" &&
        `stands at ${row.pipeline_status}: ${row.blocked_reason}`,
    ),
    invariant("status moves only along the map", (tell) => {
      for (const [id, seen] of sightings) {
        const order = byId.get(id) ?? null;
        tell(order, order === null && `order ${id} was seen and is gone`);
        for (let index = 1; index < seen.length; index += 1) {
          const [from, to] = [seen[index - 1]!, seen[index]!];
          tell(order, !canReach(from, to) && `moved from ${from} to ${to}`);
        }
      }
    }),
    eachOrder("no callback before its order was ticketed there", evidence, ({ legs }) => {
      const first = Math.min(...legs.callback.requests.map(({ startedAt }) => startedAt));
      const ticketed = legs.ticketing.requests.some(
        ({ status, answeredAt }) => status === 200 && answeredAt !== null && answeredAt <= first,
      );
      return !ticketed && `first called back at ${new Date(first).toISOString()}`;
    }),
    eachOrder("no ticketing attempt begins after the order was ticketed", evidence, ({ row, legs }) => {
      const after = legs.ticketing.attempts.find(
        ({ row: attempt }) =>
          attempt.at > (row.ticketed_at ?? Number.POSITIVE_INFINITY) + COMMIT_SLACK_MS &&
          !faultLog.during(row.ticketed_at!, attempt.at, ["stop", "database"]),
      );
      return (
        after !== undefined &&
        `attempt ${after.row.no} was claimed ${after.row.at - row.ticketed_at!} ms later`
      );
    }),
    eachOrder("the tickets are those of an answer to this order", evidence, ({ row, legs }) => {
      const named = requestNamedIn(row.reference);
      const given = legs.ticketing.requests.filter(({ status }) => status === 200);
      const fine =
        row.reference === null
          ? given.some(({ behaviour }) => behaviour === "no JSON")
          : given.some(({ no }) => no === named);
      return !fine && `reference ${row.reference}, answers ${given.map(({ no }) => no).join(", ")}`;
    }),
  ];
}
