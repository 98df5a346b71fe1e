import { eventId } from "../lib/ids.ts";
import {
  type CallbackEventName,
  callbackBody,
  FAILURE_EVENTS,
  type FailedStatus,
  reasonCode,
} from "../orders/callback-event.ts";
import type { OrderItem } from "../orders/order-input.ts";
import type { AttemptError } from "../orders/outcome.ts";
import { attemptInDoubt } from "./cancelled.ts";
import { CALLBACK_CLAIM_COLUMNS, type ClaimRow } from "./claim-row.ts";
import { type Run, rowSet, type SqlWords } from "./database.ts";
import type { NewClaim } from "./jobs.ts";
import { NEW_JOB_FIELDS, newJobFields, newJobValues } from "./new-jobs.ts";
import { ITEM_COLUMNS, itemOf, type ItemRow } from "./order-items.ts";

/** An event that a partner is to be told. */
export interface NewEvent {
  readonly name: CallbackEventName;
  readonly id: string;
  readonly sequence: number;
  readonly body: string;
}

export interface EventOfOrder {
  readonly orderId: number;
  readonly partnerId: string;
  readonly event: NewEvent;
  /** Null: the job waits in the queue. */
  readonly claim: NewClaim | null;
}

const EVENT_FIELDS = {
  order_id: "integer",
  partner_id: "text",
  event: "text",
  event_id: "text",
  sequence: "integer",
  body: "text",
  ...NEW_JOB_FIELDS,
} as const;

/** One callback job for each event, in the transaction of what it tells. */
export function createWriteEvents(words: SqlWords) {
  const text = `${words.insertRows(
    "ota_callback_jobs",
    {
      order_id: "r.order_id",
      partner_id: "r.partner_id",
      event: "r.event",
      event_id: "r.event_id",
      sequence: "r.sequence",
      body: "r.body",
      ...newJobValues(words.now("$2")),
    },
    EVENT_FIELDS,
  )} returning ${CALLBACK_CLAIM_COLUMNS}`;
  /** @returns the jobs that were written claimed */
  return async (tx: Run, events: readonly EventOfOrder[], now: number | null): Promise<ClaimRow[]> => {
    const rows = events.map(({ orderId, partnerId, event, claim }) => ({
      order_id: orderId,
      partner_id: partnerId,
      event: event.name,
      event_id: event.id,
      sequence: event.sequence,
      body: event.body,
      ...newJobFields(claim),
    }));
    const written = await tx<ClaimRow>(text, [rowSet(EVENT_FIELDS, rows), now]);
    return written.filter((row) => row.claim !== null);
  };
}

interface FailedRow {
  id: number;
  partner_id: string;
  external_order_id: string;
  trace_id: string;
  pipeline_status: FailedStatus;
  failures_told: number;
  told_at: number;
}

interface LastAttemptRow {
  id: number;
  last_status_code: number | null;
  last_error: AttemptError | null;
  in_doubt: number;
}

/**
 * Writes the failure events of orders that have just come to stand without tickets, for the partners who have asked for
 * them, in the transaction that moved the orders: their rows are locked by that, so sequences have no gaps.
 */
export function createTellFailures(words: SqlWords) {
  const writeEvents = createWriteEvents(words);
  const among = words.amongIds("$1");
  const count = `update orders set failures_told = failures_told + 1
    where id ${among} and exists (
      select 1 from partners p where p.partner_id = orders.partner_id and p.failure_events = 1)
    returning id, partner_id, external_order_id, trace_id, pipeline_status, failures_told, ${words.now("$2")} as told_at`;
  const lastAttempts = `select id, last_status_code, last_error,
      case when ${attemptInDoubt("ticketing_jobs.id")} then 1 else 0 end as in_doubt
    from ticketing_jobs where id ${among}`;
  const itemsOf = `select order_id, ${ITEM_COLUMNS.join(", ")} from order_items
    where order_id ${among} order by order_id, no`;

  return async (tx: Run, orderIds: readonly number[], now: number | null): Promise<void> => {
    const told = await tx<FailedRow>(count, [JSON.stringify(orderIds), now]);
    if (told.length === 0) return;
    const ids = JSON.stringify(told.map((row) => row.id));
    const attempts = await tx<LastAttemptRow>(lastAttempts, [ids]);
    const items = await tx<ItemRow & { order_id: number }>(itemsOf, [ids]);
    const attemptOf = new Map(attempts.map((row) => [row.id, row]));
    const itemsByOrder = Map.groupBy(items, (row) => row.order_id);
    const events = told.map((order): EventOfOrder => {
      const { id, partner_id: partnerId } = order;
      const ofOrder = (itemsByOrder.get(id) ?? []).map(itemOf);
      return { orderId: id, partnerId, event: failureEvent(order, attemptOf.get(id)!, ofOrder), claim: null };
    });
    await writeEvents(tx, events, now);
  };
}

function failureEvent(row: FailedRow, attempt: LastAttemptRow, items: readonly OrderItem[]): NewEvent {
  const { pipeline_status: status, failures_told: sequence, told_at: occurredAt } = row;
  const { last_status_code: code, last_error: error, in_doubt } = attempt;
  const name = FAILURE_EVENTS[status];
  const id = eventId(occurredAt);
  const body = callbackBody({
    event: name,
    eventId: id,
    sequence,
    occurredAt,
    reasonCode: reasonCode({ status, code, error, inDoubt: in_doubt === 1 }),
    order: {
      id: row.id,
      externalOrderId: row.external_order_id,
      traceId: row.trace_id,
      status,
      reference: null,
      items,
      tickets: [],
    },
  });
  return { name, id, sequence, body };
}
