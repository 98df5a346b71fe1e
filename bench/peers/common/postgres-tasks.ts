import { callbackTask } from "./legs.ts";
import type { CallbackTask, OrderInput, OrderJob, TicketingTask } from "./orders.ts";
import type { Client } from "./postgres.ts";

interface OrderRow {
  readonly id: string;
  readonly trace_id: string;
  readonly partner_id: string;
  readonly raw_payload: string;
}

interface TicketedRow extends OrderRow {
  readonly reference: string | null;
  readonly ticketed_at: string;
  /** A JSON array of JSON texts. */
  readonly tickets: string;
}

/** Reads the orders of many jobs at once, and makes of them what the ticketing leg needs. In the jobs' order. */
export async function ticketingTasks(client: Client, jobs: readonly OrderJob[]): Promise<TicketingTask[]> {
  const { rows } = await client.query<OrderRow>({
    name: "orders_of_jobs",
    text: "select id, trace_id, partner_id, raw_payload from orders where id = any($1::bigint[])",
    values: [jobs.map(({ orderId }) => orderId)],
  });
  return inOrder(jobs, rows, ticketingTask);
}

/** Likewise for the callback leg. */
export async function callbackTasks(client: Client, jobs: readonly OrderJob[]): Promise<CallbackTask[]> {
  const { rows } = await client.query<TicketedRow>({
    name: "ticketed_orders_of_jobs",
    text: `select id, trace_id, partner_id, raw_payload, reference, ticketed_at,
        to_json(array(select body from tickets t where t.order_id = o.id order by no))::text as tickets
      from orders o where id = any($1::bigint[])`,
    values: [jobs.map(({ orderId }) => orderId)],
  });
  return inOrder(jobs, rows, (job, row) => {
    const tickets = (JSON.parse(row.tickets) as string[]).map((ticket) => JSON.parse(ticket) as unknown);
    const issued = { reference: row.reference, tickets, ticketedAt: Number(row.ticketed_at) };
    return { ...callbackTask(ticketingTask(job, row), issued), attempt: job.attempt };
  });
}

function ticketingTask({ orderId, attempt }: OrderJob, row: OrderRow): TicketingTask {
  const input = JSON.parse(row.raw_payload) as OrderInput;
  return { orderId, attempt, traceId: row.trace_id, partnerId: row.partner_id, input };
}

function inOrder<Row extends OrderRow, Task>(
  jobs: readonly OrderJob[],
  rows: readonly Row[],
  taskOf: (job: OrderJob, row: Row) => Task,
): Task[] {
  const byId = new Map(rows.map((row) => [Number(row.id), row]));
  return jobs.map((job) => {
    const row = byId.get(job.orderId);
    if (row === undefined) throw new Error(`order ${job.orderId} is gone`);
    return taskOf(job, row);
  });
}
