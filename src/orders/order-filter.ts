import type { AttemptError } from "./outcome.ts";
import type { OrderStatus } from "./states.ts";

/** Which orders are meant. Plain data: a bulk job stores it. Null, or an empty list of statuses, stands for any. */
export interface OrderFilter {
  /** An external id, trace id, ticketing reference, ticket code or order id, whole. */
  readonly q: string | null;
  readonly statuses: readonly OrderStatus[];
  readonly partnerId: string | null;
  /** Epoch milliseconds: accepted from then on, and before. */
  readonly createdFrom: number | null;
  readonly createdBefore: number | null;
  /** `YYYY-MM-DD`: an item's visit date from then on, and up to and with. */
  readonly visitFrom: string | null;
  readonly visitTo: string | null;
  /** Of the last attempt of either leg: the status that arrived, and what went wrong. */
  readonly code: number | null;
  readonly error: AttemptError | null;
  /** True: only orders that an attempt has been due for, for over {@link PAST_DUE_MS}. */
  readonly pastDue: boolean;
  /** The fingerprint of a group of errors. */
  readonly errorGroup: string | null;
  readonly ids: readonly number[] | null;
}

/** A job that waits for longer is not merely waiting for the next poll. */
export const PAST_DUE_MS = 60_000;

export const ANY_ORDER: OrderFilter = {
  q: null,
  statuses: [],
  partnerId: null,
  createdFrom: null,
  createdBefore: null,
  visitFrom: null,
  visitTo: null,
  code: null,
  error: null,
  pastDue: false,
  errorGroup: null,
  ids: null,
};
