import type { Acceptance, AttemptRow, NewOrder, OrderInput } from "./orders.ts";

/** An order whose way had not ended when the process did. */
export interface UnfinishedOrder {
  readonly orderId: number;
  readonly traceId: string;
  readonly partnerId: string;
  readonly input: OrderInput;
  readonly isTicketed: boolean;
  readonly reference: string | null;
  readonly tickets: readonly unknown[];
  readonly ticketedAt: number;
  /** Attempts made of the leg that the order is at. */
  readonly attempts: number;
}

/** The tables as a pipeline without an engine needs them; each promise resolves when its rows are durable. */
export interface Store {
  accept(order: NewOrder): Promise<Acceptance>;
  settleTicketing(row: AttemptRow): Promise<void>;
  settleCallback(row: AttemptRow): Promise<void>;
  unfinished(): Promise<UnfinishedOrder[]>;
  close(): Promise<void>;
}

export interface UnfinishedRow {
  readonly id: string | number;
  readonly trace_id: string;
  readonly partner_id: string;
  readonly pipeline_status: string;
  readonly raw_payload: string;
  readonly reference: string | null;
  /** A JSON array of JSON texts. */
  readonly tickets: string | null;
  readonly ticketed_at: string | number | null;
  readonly attempts: string | number;
}

export function unfinishedOrder(row: UnfinishedRow): UnfinishedOrder {
  return {
    orderId: Number(row.id),
    traceId: row.trace_id,
    partnerId: row.partner_id,
    input: JSON.parse(row.raw_payload) as OrderInput,
    isTicketed: row.pipeline_status === "ticketed",
    reference: row.reference,
    tickets: (JSON.parse(row.tickets ?? "[]") as string[]).map((ticket) => JSON.parse(ticket) as unknown),
    ticketedAt: Number(row.ticketed_at),
    attempts: Number(row.attempts),
  };
}

/** `jsonArrayOf` aggregates texts into a JSON array, in the order of `no`. */
export const unfinishedQuery = (jsonArrayOf: string): string => `
  select o.id, o.trace_id, o.partner_id, o.pipeline_status, o.raw_payload, o.reference, o.ticketed_at,
    (select ${jsonArrayOf} from tickets t where t.order_id = o.id) as tickets,
    case when o.pipeline_status = 'ticketed'
      then (select count(*) from ota_callback_attempts a where a.order_id = o.id)
      else (select count(*) from ticketing_attempts a where a.order_id = o.id) end as attempts
  from orders o where o.pipeline_status in ('accepted', 'ticketed') order by o.id`;
