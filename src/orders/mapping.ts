// What the author of a mapping needs to know, as types: `import type { Mapping } from "wavegate/mapping"`. docs/mapping.md
// tells the rest. Nothing is imported here, so that the types stand alone.

/** An item of an order, as the partner sent it. */
export interface MappingItem {
  readonly sku: string;
  /** 1 to 10000. */
  readonly qty: number;
  /** Of one unit, in the currency's minor unit: 0 to 2^53-1. A total may need a bigint. */
  readonly unit_price_minor: number;
  /** Three capital letters. */
  readonly currency: string;
  /** `YYYY-MM-DD`. */
  readonly visit_date?: string;
  /** `HH:MM`. */
  readonly visit_time?: string;
  /** Whatever else the partner sent. */
  readonly [field: string]: unknown;
}

/** An order as ticketing gets it without a mapping. Frozen, at every level. */
export interface MappingOrder {
  /** A UUID; also the Idempotency-Key of every attempt, and so what a system's own key is best made of. */
  readonly trace_id: string;
  readonly partner_id: string;
  readonly external_order_id: string;
  readonly items: readonly MappingItem[];
  readonly buyer?: Readonly<Record<string, unknown>>;
  /** Whatever else the partner sent; never `callback_url`. */
  readonly [field: string]: unknown;
}

export interface MappingTools {
  /**
   * Minor units as an exact decimal text by ISO 4217: `toDecimal(129900, "THB")` is `1299.00`, of JPY `129900`.
   * @param minor a safe integer, a bigint, or a text of digits
   * @throws RangeError
   */
  toDecimal(minor: number | bigint | string, currency: string): string;
}

/** What is sent to ticketing. */
export interface MappingRequest {
  /** Any JSON value. Members that are undefined are left out. */
  readonly body: unknown;
  /** Beside the gateway's own; never Authorization, Host, Idempotency-Key and their like. At most 32. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** What ticketing's answer means. */
export interface MappingAnswer {
  /**
   * `done`: ticketed. `already_done`: it had been, by an attempt whose answer was lost; tickets may be missing.
   * `retry`: try again on schedule. `blocked`: a person has to look.
   */
  readonly outcome: "done" | "already_done" | "retry" | "blocked";
  /** With `done` and `already_done`: at most 1000 objects or texts, passed on to the partner as they are. */
  readonly tickets?: readonly (string | object)[] | undefined;
  /** Likewise: ticketing's own reference, at most 255 characters. */
  readonly reference?: string | null | undefined;
  /** For the people who read the order. */
  readonly reason?: string | undefined;
  /** With `retry`: seconds to wait at least, within the schedule. */
  readonly retryAfterSecs?: number | undefined;
}

/**
 * The exports of a module that `TICKETING_MAPPING` names. All are plain functions that return at once: no promises, no
 * network, no clock, no chance. An exception blocks the order it was thrown for, with its message as the reason.
 */
export interface Mapping {
  /**
   * Called on each attempt. The same order must map to the same request every time, or ticketing could take a repeat for
   * another order.
   */
  request(order: MappingOrder, tools: MappingTools): MappingRequest;
  /**
   * Asked what a whole answer means, whatever its status; null leaves it to the default rule (2xx done, 429 and 5xx
   * retry, other 4xx blocked). Without this function that rule decides always.
   * @param body the answer's JSON value; its text where it is no JSON that can be taken; null where it is empty
   */
  response?(status: number, body: unknown): MappingAnswer | null;
  /** An order as partners send it that this mapping can map, for the dry run at start; else one with invented names. */
  readonly sample?: unknown;
}
