import type { ColumnKind } from "../database.ts";

/** What a claim tells of the partners that have jobs in flight: free slots, and attempts of each lane in flight. */
export const BUSY_COLUMNS = {
  partner_id: "text",
  slots: "integer",
  first_attempts: "integer",
  retries: "integer",
} as const satisfies Record<string, ColumnKind>;

/** Attempts of a lane `l` in flight, of a partner whose row `b` may be missing. */
export const IN_LANE =
  "case l.lane when 0 then coalesce(b.first_attempts, 0) else coalesce(b.retries, 0) end";
export const IN_FLIGHT = "coalesce(b.first_attempts, 0) + coalesce(b.retries, 0)";

/**
 * Puts due jobs in turns. What is in flight counts as turns taken, so that the shares are fair also when slots become
 * free one by one: between partners, and of each partner between first attempts and retries. Within a lane the oldest
 * comes first; who is level draws lots, so that nobody is always the last. Of no partner more than its slots.
 *
 * @param candidates a query that gives id, partner_id, lane, next_attempt_at, slots, in_lane and in_flight
 */
export function inTurns(candidates: string, limit: string): string {
  return `
    select id from (
      select id, slots, in_flight, row_number() over (partition by partner_id order by lane_turn, lot) as turn
      from (
        select *, random() as lot,
          in_lane + row_number() over (partition by partner_id, lane order by next_attempt_at) as lane_turn
        from (${candidates}) candidates
      ) lanes
    ) turns where turn <= slots order by in_flight + turn, random() limit ${limit}`;
}
