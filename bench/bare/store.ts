// What the bare pipeline hands to its database: the columns that differ from order to order, and no more.

export interface OrderItem {
  readonly sku: string;
  readonly qty: number;
  readonly unit_price_minor: number;
  readonly currency: string;
  readonly visit_date?: string;
  readonly visit_time?: string;
}

export interface Accepted {
  readonly id: number;
  readonly partnerId: string;
  readonly externalOrderId: string;
  readonly traceId: string;
  readonly callbackUrl: string;
  readonly rawPayload: string;
  readonly items: readonly OrderItem[];
  readonly key: string | null;
  readonly fingerprint: string;
  readonly atMs: number;
}

/** An exchange that has succeeded. */
interface Exchanged {
  readonly id: number;
  readonly partnerId: string;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
  readonly code: number;
  readonly answer: string | null;
}

export interface Ticketed extends Exchanged {
  readonly reference: string | null;
  /** JSON texts. */
  readonly tickets: readonly string[];
  readonly eventId: string;
  readonly body: string;
}

export type Delivered = Exchanged;

/** What shares a transaction. */
export interface Batch {
  readonly accepted: readonly Accepted[];
  readonly ticketed: readonly Ticketed[];
  readonly delivered: readonly Delivered[];
}

export interface Store {
  /** Transactions that may run at the same time. */
  readonly lanes: number;
  /** Durable when it resolves, or returns. */
  write(batch: Batch): Promise<void> | void;
  close(): Promise<void> | void;
}
