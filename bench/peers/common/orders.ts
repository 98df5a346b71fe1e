/** An order as the partner sends it; what else it carries goes to ticketing as it is. */
export interface OrderInput {
  readonly external_order_id: string;
  readonly callback_url: string;
  readonly items: readonly OrderItem[];
  readonly [other: string]: unknown;
}

export interface OrderItem {
  readonly sku: string;
  readonly qty: number;
  readonly unit_price_minor: number;
  readonly currency: string;
  readonly visit_date?: string;
  readonly visit_time?: string;
}

/** An order on its way in. */
export interface NewOrder {
  readonly traceId: string;
  readonly partnerId: string;
  readonly key: string | null;
  /** SHA-256 of the body, to tell a repeat from another order under the same key. */
  readonly fingerprint: string;
  readonly rawPayload: string;
  readonly input: OrderInput;
  readonly createdAt: number;
}

/** What the 201 says. */
export interface AcceptedOrder {
  readonly id: number;
  readonly traceId: string;
  readonly partnerId: string;
  readonly externalOrderId: string;
  readonly createdAt: number;
}

export type Acceptance =
  | { readonly kind: "accepted" | "replayed"; readonly order: AcceptedOrder }
  | { readonly kind: "key_reused" };

/** What a queue within the database carries: the order is read when its turn comes, so that no payload is written twice. */
export interface OrderJob {
  readonly orderId: number;
  /** 1 for the first. */
  readonly attempt: number;
}

/** What the ticketing leg needs to know of an order. */
export interface TicketingTask extends OrderJob {
  readonly traceId: string;
  readonly partnerId: string;
  readonly input: OrderInput;
}

/** What the callback leg needs. The body is the same on every attempt. */
export interface CallbackTask extends OrderJob {
  readonly traceId: string;
  readonly partnerId: string;
  readonly externalOrderId: string;
  readonly url: string;
  readonly eventId: string;
  readonly body: string;
}

/** The rows that an attempt leaves: the attempt itself and, unless it is to be repeated, the order's new status. */
export interface AttemptRow {
  readonly order_id: number;
  readonly partner_id: string;
  readonly no: number;
  readonly code: number | null;
  readonly error: string | null;
  readonly at: number;
  readonly duration_ms: number;
  readonly answer: string | null;
  readonly status: string | null;
  readonly reason: string | null;
  readonly reference: string | null;
  /** Each a JSON text. */
  readonly tickets: readonly string[];
}

/** The end of an attempt: what to write, and what is to be done next, in the same transaction if the engine can. */
export interface Settlement<Task> {
  readonly row: AttemptRow;
  /** The same leg again. */
  readonly again: { readonly task: Task; readonly dueAt: number } | null;
  /** The next leg. */
  readonly callback: CallbackTask | null;
}

export function ticketingTask(order: NewOrder, orderId: number): TicketingTask {
  const { traceId, partnerId, input } = order;
  return { orderId, traceId, partnerId, attempt: 1, input };
}
