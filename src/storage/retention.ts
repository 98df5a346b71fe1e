import { FINAL_STATUSES } from "../orders/states.ts";
import { codeOfTicket } from "../orders/ticket-codes.ts";
import { eventWithoutHolders, payloadWithoutBuyer, ticketWithoutHolder } from "../orders/without-buyer.ts";
import type { Database, Run } from "./database.ts";

/** One step through the orders, in the order of their ids. */
export interface Page {
  /** Finished orders that were dealt with, or counted. */
  readonly orders: number;
  /** Where the next step begins; null: there is nothing older left. */
  readonly next: number | null;
}

/**
 * A step through the finished orders that were accepted and last changed before a moment (epoch milliseconds), from
 * those after an id on. It looks at `limit` orders at most, in one transaction, and never touches an order that
 * anybody may still work on.
 */
export type Step = (before: number, afterId: number, limit: number) => Promise<Page>;

/** What is not kept for ever. */
export interface Retention {
  readonly countWithBuyers: Step;
  /**
   * Blanks the buyer's data wherever a copy lies: raw payload, answers, tickets, callback bodies. The rest stays, the
   * fingerprint of the payload too, so that a repeated request still gets its first answer.
   */
  readonly blankBuyers: Step;
  readonly countOrders: Step;
  /** Deletes orders with all that belongs to them, their idempotency keys too. */
  readonly deleteOrders: Step;
}

export function createRetention({ run, transact, words }: Database): Retention {
  const isFinished = (
    before: string,
  ): string => `pipeline_status in (${FINAL_STATUSES.map((status) => `'${status}'`).join(", ")})
    and created_at < ${before} and updated_at < ${before}`;
  const page = (condition: string): string => `select id,
      case when created_at < $1 then 1 else 0 end as is_old,
      case when ${isFinished("$1")} then 1 else 0 end as is_due
    from orders where ${condition} and id > $2 order by id limit $3`;
  const withBuyers = page("buyer_blanked_at is null");
  const all = page("true");
  // Once more under the lock, and not while a job of another event is on its way. Orders that somebody holds are left
  // for the next time.
  const locked = (condition: string, columns: string): string => `select ${columns} from orders o
    where o.id ${words.amongIds("$1")} and ${isFinished("$2")} and ${condition}
      and not exists (select 1 from ticketing_jobs t where t.id = o.id and t.status in ('pending', 'running'))
      and not exists (select 1 from ota_callback_jobs c where c.order_id = o.id and c.status in ('pending', 'running'))
    order by o.id ${words.forUpdateSkipLocked}`;
  const lockWithBuyers = locked("o.buyer_blanked_at is null", "o.id, o.raw_payload");
  const lockAll = locked("true", "o.id, o.partner_id, o.idempotency_key");

  const amongOrders = words.amongIds("$1");
  const callbackJobs = words.amongFew(`select id from ota_callback_jobs where order_id ${amongOrders}`);
  const forgetAnswers = [
    `update ticketing_attempts set answer = null where job_id ${amongOrders}`,
    `update ota_callback_attempts set answer = null where job_id ${callbackJobs}`,
    `update late_results set answer = null where order_id ${amongOrders}`,
  ];
  const ticketsOf = `select order_id, no, body from tickets where order_id ${amongOrders}`;
  const bodiesOf = `select id, body from ota_callback_jobs where order_id ${amongOrders}`;
  const fields = { of_id: "integer", of_no: "integer", new_text: "text" } as const;
  const texts = words.rows("$1", fields);
  const setTickets = `update tickets set body = r.new_text, code = r.new_code
    from ${words.rows("$1", { ...fields, new_code: "text" })} r
    where tickets.order_id = r.of_id and tickets.no = r.of_no`;
  const setBodies = `update ota_callback_jobs set body = r.new_text from ${texts} r
    where ota_callback_jobs.id = r.of_id`;
  const setPayloads = `with clock as (select ${words.now("$2")} as now)
    update orders set raw_payload = r.new_text, buyer_blanked_at = (select now from clock) from ${texts} r
    where orders.id = r.of_id`;

  const deletes = [
    ...["late_results", "operator_actions", "bulk_results", "circuit_failures", "tickets", "order_items"].map(
      (table) => `delete from ${table} where order_id ${amongOrders}`,
    ),
    `delete from ticketing_attempts where job_id ${amongOrders}`,
    `delete from ota_callback_attempts where job_id ${callbackJobs}`,
    `delete from ticketing_jobs where id ${amongOrders}`,
    `delete from ota_callback_jobs where order_id ${amongOrders}`,
  ];
  const deleteKeys = `delete from idempotency_keys where (partner_id, key) in (
    select partner_id, key from ${words.rows("$1", { partner_id: "text", key: "text" })} r)`;
  const deleteRows = `delete from orders where id ${amongOrders}`;

  async function look(text: string, before: number, afterId: number, limit: number) {
    const rows = await run<{ id: number; is_old: number; is_due: number }>(text, [before, afterId, limit]);
    // Ids are given out in the order of time, give or take moments: a whole page of younger ones is the end.
    const isEnd = rows.length < limit || rows.every((row) => row.is_old === 0);
    const due = rows.filter((row) => row.is_due === 1).map((row) => row.id);
    return { due, next: isEnd ? null : rows.at(-1)!.id };
  }

  const counting =
    (text: string): Step =>
    async (before, afterId, limit) => {
      const { due, next } = await look(text, before, afterId, limit);
      return { orders: due.length, next };
    };

  const working =
    (text: string, work: (tx: Run, ids: readonly number[], before: number) => Promise<number>): Step =>
    async (before, afterId, limit) => {
      const { due, next } = await look(text, before, afterId, limit);
      return { orders: due.length === 0 ? 0 : await transact((tx) => work(tx, due, before)), next };
    };

  async function blank(tx: Run, ids: readonly number[], before: number): Promise<number> {
    const given = [JSON.stringify(ids), before];
    const orders = await tx<{ id: number; raw_payload: string }>(lockWithBuyers, given);
    const held = JSON.stringify(orders.map((row) => row.id));
    for (const text of forgetAnswers) await tx(text, [held]);
    const tickets = await tx<{ order_id: number; no: number; body: string }>(ticketsOf, [held]);
    await tx(setTickets, [JSON.stringify(tickets.map(blankedTicket))]);
    const jobs = await tx<{ id: number; body: string }>(bodiesOf, [held]);
    await tx(setBodies, [textRows(jobs, (row) => [row.id, 0, eventWithoutHolders(row.body)])]);
    const payloads = textRows(orders, (row) => [row.id, 0, payloadWithoutBuyer(row.raw_payload)]);
    await tx(setPayloads, [payloads, null]);
    return orders.length;
  }

  async function remove(tx: Run, ids: readonly number[], before: number): Promise<number> {
    const given = [JSON.stringify(ids), before];
    type Row = { id: number; partner_id: string; idempotency_key: string | null };
    const orders = await tx<Row>(lockAll, given);
    const held = JSON.stringify(orders.map((row) => row.id));
    for (const text of deletes) await tx(text, [held]);
    const keys = orders.filter((row) => row.idempotency_key !== null);
    await tx(deleteKeys, [
      JSON.stringify(keys.map((row) => ({ partner_id: row.partner_id, key: row.idempotency_key }))),
    ]);
    await tx(deleteRows, [held]);
    return orders.length;
  }

  return {
    countWithBuyers: counting(withBuyers),
    blankBuyers: working(withBuyers, blank),
    countOrders: counting(all),
    deleteOrders: working(all, remove),
  };
}

/** It is found by what is left of it. */
function blankedTicket({ order_id, no, body }: { order_id: number; no: number; body: string }) {
  const text = ticketWithoutHolder(body);
  return { of_id: order_id, of_no: no, new_text: text, new_code: codeOfTicket(text) };
}

function textRows<Row>(rows: readonly Row[], read: (row: Row) => [id: number, no: number, text: string]) {
  return JSON.stringify(
    rows.map((row) => {
      const [id, no, text] = read(row);
      return { of_id: id, of_no: no, new_text: text };
    }),
  );
}
