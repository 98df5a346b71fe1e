import type { Database } from "./database.ts";

/** Takes of one bucket that came together. */
export interface Take {
  readonly partnerId: string;
  /** Each kind of request has a bucket of its own. */
  readonly kind: "orders" | "reads";
  readonly capacity: number;
  readonly perSec: number;
  /** Requests that want a token each. */
  readonly wanted: number;
}

export interface Taken {
  /** Requests that got one: the first of them. */
  readonly granted: number;
  /** Milliseconds until the bucket holds a whole token. */
  readonly retryAfterMs: number;
}

export interface RateBuckets {
  /**
   * Takes tokens from several buckets at once; each bucket may be named once. All processes share the buckets, so that
   * no partner gets more than capacity + rate x t in any time t (SPEC section 3).
   */
  take(takes: readonly Take[], now: number | null): Promise<Taken[]>;
}

export function createRateBuckets({ transact, words }: Database): RateBuckets {
  const { least, greatest } = words;
  const given = words.rows("$1", {
    holder: "text",
    bucket: "text",
    capacity: "real",
    per_sec: "real",
    wanted: "integer",
  });
  const clock = `with clock as (select ${words.now("$2")} as now)`;
  const fill = `insert into rate_buckets (partner_id, kind, tokens, granted, updated_at)
    select r.holder, r.bucket, r.capacity, 0, clock.now from ${given} r, clock where true
    on conflict (partner_id, kind) do nothing`;
  // A clock that steps back must not fill the bucket twice: `updated_at` never goes back.
  const refilled = `${least}(r.capacity, b.tokens + ${greatest}(0, (select now from clock) - b.updated_at) * r.per_sec / 1000.0)`;
  const granted = `${least}(r.wanted, cast(floor(${refilled}) as integer))`;
  const take = `${clock}
    update rate_buckets as b set
      tokens = ${refilled} - ${granted}, granted = ${granted},
      updated_at = ${greatest}(b.updated_at, (select now from clock))
    from ${given} r
    where b.partner_id = r.holder and b.kind = r.bucket
    returning partner_id, kind, tokens, granted`;
  interface Row {
    partner_id: string;
    kind: string;
    tokens: number;
    granted: number;
  }
  return {
    async take(takes, now) {
      // In one order everywhere, so that two processes never wait for each other.
      const sorted = takes.toSorted((a, b) => compare(a.partnerId, b.partnerId) || compare(a.kind, b.kind));
      const parameter = JSON.stringify(
        sorted.map(({ partnerId, kind, capacity, perSec, wanted }) => ({
          holder: partnerId,
          bucket: kind,
          capacity,
          per_sec: perSec,
          wanted,
        })),
      );
      const rows = await transact(
        async (tx) => {
          let taken = await tx<Row>(take, [parameter, now]);
          if (taken.length < takes.length) {
            await tx(`${clock} ${fill}`, [parameter, now]);
            // Those just made are full; those that existed have been served.
            const served = new Set(taken.map((row) => `${row.partner_id} ${row.kind}`));
            const missing = (JSON.parse(parameter) as { holder: string; bucket: string }[]).filter(
              (row) => !served.has(`${row.holder} ${row.bucket}`),
            );
            taken = [...taken, ...(await tx<Row>(take, [JSON.stringify(missing), now]))];
          }
          return taken;
        },
        { durable: false },
      );
      const rowOf = new Map(rows.map((row) => [`${row.partner_id} ${row.kind}`, row]));
      return takes.map(({ partnerId, kind, perSec }) => {
        const row = rowOf.get(`${partnerId} ${kind}`)!;
        return { granted: row.granted, retryAfterMs: Math.max(0, ((1 - row.tokens) / perSec) * 1000) };
      });
    },
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
