import { isFailed } from "../orders/callback-event.ts";
import { ORDER_EDGES, type OrderStatus } from "../orders/states.ts";
import { onFirstClaim } from "../orders/transitions.ts";
import { type Run, rowSet, type SqlWords } from "./database.ts";
import { createTellFailures } from "./events.ts";
import { noOpenCircuit } from "./open-circuit.ts";

/** An order's way to another status, with what is learnt on it. */
export interface Move {
  readonly orderId: number;
  readonly to: OrderStatus;
  readonly reason: string | null;
  readonly reference: string | null;
  /** Of an order that becomes ticketed: its callback is claimed in this transaction, unless the circuit is open. */
  readonly callbackBegins?: boolean;
}

/** An order that has moved. */
export interface Moved {
  readonly status: OrderStatus;
  /** Failure events that its partner has been told. */
  readonly failuresTold: number;
}

/**
 * Moves orders along the edges of SPEC section 4 and nowhere else: the condition stands in the statement, so that
 * it holds whoever asks. So does what partners are told of orders that come to stand without tickets.
 * @returns the orders that moved, and where they are
 */
export type MoveOrders = (
  tx: Run,
  moves: readonly Move[],
  now: number | null,
) => Promise<ReadonlyMap<number, Moved>>;

interface MovedRow {
  id: number;
  pipeline_status: OrderStatus;
  failures_told: number;
}

const FIELDS = {
  order_id: "integer",
  to_status: "text",
  reason: "text",
  new_reference: "text",
  callback_begins: "integer",
} as const;

export function createMoveOrders(words: SqlWords): MoveOrders {
  const edges = [...new Set(ORDER_EDGES.map((edge) => `'${edge.from} ${edge.to}'`))];
  const { from: ticketed, to: callbackPending } = onFirstClaim("callback");
  const now = words.now("$2");
  const text = `${words.updateRows(
    "orders as o",
    {
      pipeline_status: `case
        when r.callback_begins = 1 and r.to_status = '${ticketed}' and ${noOpenCircuit("callback", "o.partner_id")}
        then '${callbackPending}' else r.to_status end`,
      blocked_reason: "r.reason",
      reference: "coalesce(r.new_reference, reference)",
      ticketed_at: `case when r.to_status = 'ticketed' then ${now} else ticketed_at end`,
      delivered_at: `case when r.to_status = 'ota_callback_delivered' then ${now} else delivered_at end`,
      updated_at: now,
    },
    `o.id = r.order_id and o.pipeline_status || ' ' || r.to_status in (${edges.join(", ")})`,
    FIELDS,
  )} returning id, pipeline_status, failures_told`;
  const tellFailures = createTellFailures(words);
  return async (tx, moves, now) => {
    if (moves.length === 0) return new Map();
    const parameter = rowSet(
      FIELDS,
      moves.map((move) => ({
        order_id: move.orderId,
        to_status: move.to,
        reason: move.reason,
        new_reference: move.reference,
        callback_begins: move.callbackBegins === true ? 1 : 0,
      })),
    );
    const rows = await tx<MovedRow>(text, [parameter, now]);
    const failed = rows.filter((row) => isFailed(row.pipeline_status)).map(({ id }) => id);
    if (failed.length > 0) await tellFailures(tx, failed, now);
    return new Map(
      rows.map((row) => [row.id, { status: row.pipeline_status, failuresTold: row.failures_told }]),
    );
  };
}
