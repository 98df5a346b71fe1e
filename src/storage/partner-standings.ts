import type { Database } from "./database.ts";
import { firstIdSince } from "./ids-in-time.ts";
import { FAILED_ATTEMPT } from "./migrations/0003-search.ts";

/** How a partner fares. */
export interface PartnerStanding {
  /** Epoch milliseconds of its last request whose token was right, near enough; null: none yet. */
  readonly lastSeenAt: number | null;
  readonly lastOrderAt: number | null;
  /** Of the last day, and no more than {@link MAX_COUNTED} of each. */
  readonly orders: number;
  readonly refusedRequests: number;
  readonly failedCallbacks: number;
  /** Orders that stand still now, by leg. */
  readonly stoppedTicketing: number;
  readonly stoppedCallbacks: number;
  /** Of its callbacks, while it is open. */
  readonly circuit: { readonly openedAt: number; readonly reason: string | null } | null;
}

/** Reads how partners fare, without a write for any request: from what their buckets, orders and refusals tell. */
export type ReadPartnerStandings = (
  ids: readonly string[],
  nowMs: number,
) => Promise<ReadonlyMap<string, PartnerStanding>>;

/** Rows that are counted of one kind: of more, the newest or the first ones tell enough. */
const MAX_COUNTED = 10_000;
const DAY_MS = 86_400_000;
const STOPPED = "('blocked', 'exhausted', 'unknown')";

interface OwnRow {
  partner_id: string;
  last_request_at: number | null;
  last_order_at: number | null;
  orders: number;
  refused: number | null;
  opened_at: number | null;
  reason: string | null;
}

export function createReadPartnerStandings(database: Database): ReadPartnerStandings {
  const { run, words } = database;
  const own = `select p.partner_id,
      (select max(b.updated_at) from rate_buckets b where b.partner_id = p.partner_id) as last_request_at,
      (select o.created_at from orders o where o.partner_id = p.partner_id order by o.id desc limit 1) as last_order_at,
      (select count(*) from (
        select 1 from orders o where o.partner_id = p.partner_id and o.id >= $2 limit ${MAX_COUNTED}) n) as orders,
      (select cast(sum(q.count) as integer) from rejected_requests q where q.partner_id = p.partner_id and q.at >= $3) as refused,
      c.opened_at, c.reason
    from ${words.rows("$1", { partner_id: "text" })} p
    left join circuits c on c.leg = 'callback' and c.partner_id = p.partner_id and c.state = 'open'`;
  const counted = (rows: string): string =>
    `select partner_id, count(*) as n from (${rows} limit ${MAX_COUNTED}) s group by partner_id`;
  const failedCallbacks = counted(
    `select partner_id from ota_callback_attempts where at >= $1 and ${FAILED_ATTEMPT} order by at desc`,
  );
  const stopped = (jobs: string): string =>
    counted(`select partner_id from ${jobs} where status in ${STOPPED}`);

  async function countsOf(text: string, parameters: readonly number[]): Promise<Map<string, number>> {
    const rows = await run<{ partner_id: string; n: number }>(text, parameters);
    return new Map(rows.map((row) => [row.partner_id, row.n]));
  }

  return async (ids, nowMs) => {
    const since = nowMs - DAY_MS;
    const firstId = await firstIdSince(database, since);
    const rows = await run<OwnRow>(own, [
      JSON.stringify(ids.map((id) => ({ partner_id: id }))),
      firstId,
      since,
    ]);
    const failed = await countsOf(failedCallbacks, [since]);
    const ticketing = await countsOf(stopped("ticketing_jobs"), []);
    const callbacks = await countsOf(stopped("ota_callback_jobs"), []);
    return new Map(
      rows.map((row): [string, PartnerStanding] => {
        const { partner_id: id, last_request_at: request, last_order_at: order } = row;
        const seen = Math.max(request ?? 0, order ?? 0);
        return [
          id,
          {
            lastSeenAt: seen === 0 ? null : seen,
            lastOrderAt: order,
            orders: row.orders,
            refusedRequests: row.refused ?? 0,
            failedCallbacks: failed.get(id) ?? 0,
            stoppedTicketing: ticketing.get(id) ?? 0,
            stoppedCallbacks: callbacks.get(id) ?? 0,
            circuit: row.opened_at === null ? null : { openedAt: row.opened_at, reason: row.reason },
          },
        ];
      }),
    );
  };
}
