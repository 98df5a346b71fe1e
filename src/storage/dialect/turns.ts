/**
 * Puts due jobs in turns: each partner's first before any partner's second, of each partner a first attempt before a
 * retry, the oldest first, and of no partner more than its slots.
 *
 * @param candidates a query that gives id, partner_id, lane, next_attempt_at and slots
 */
export function inTurns(candidates: string, limit: string): string {
  return `
    select id from (
      select id, slots, next_attempt_at, row_number() over (partition by partner_id order by lane_turn, lane) as turn
      from (
        select *, row_number() over (partition by partner_id, lane order by next_attempt_at) as lane_turn
        from (${candidates}) candidates
      ) lanes
    ) turns where turn <= slots order by turn, next_attempt_at limit ${limit}`;
}
