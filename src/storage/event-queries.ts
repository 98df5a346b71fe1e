import type { Selectable } from "kysely";
import type { Database } from "./database.ts";
import type { CallbackJobsTable } from "./tables.ts";

/** An event of an order, with how its partner was told. */
export type StoredEvent = Pick<
  Selectable<CallbackJobsTable>,
  | "event"
  | "event_id"
  | "sequence"
  | "body"
  | "status"
  | "attempts"
  | "last_status_code"
  | "last_error"
  | "next_attempt_at"
>;

/** Of an order that was retried that often, the newest are shown. */
const LIMIT = 100;

/**
 * An order's events in their sequence, at most 100; null when there is no such order, or with `partnerId` when it is
 * another partner's.
 */
export type ReadEvents = (orderId: number, partnerId: string | null) => Promise<StoredEvent[] | null>;

export function createReadEvents({ queries }: Pick<Database, "queries">): ReadEvents {
  return async (orderId, partnerId) => {
    const order = await queries
      .selectFrom("orders")
      .select("partner_id")
      .where("id", "=", orderId)
      .executeTakeFirst();
    if (!order || (partnerId !== null && order.partner_id !== partnerId)) return null;
    const newest = await queries
      .selectFrom("ota_callback_jobs")
      .select(["event", "event_id", "sequence", "body", "status", "attempts"])
      .select(["last_status_code", "last_error", "next_attempt_at"])
      .where("order_id", "=", orderId)
      .orderBy("sequence", "desc")
      .limit(LIMIT)
      .execute();
    return newest.toReversed();
  };
}
