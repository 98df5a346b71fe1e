import { type Leg, LEGS } from "../orders/states.ts";
import type { Database } from "./database.ts";
import { LEG_TABLES } from "./tables.ts";

/** A leg's jobs that are not at their end. A count of {@link MAX_COUNTED} is that or more. */
export interface LegBacklog {
  readonly due: number;
  readonly later: number;
  /** Claimed: an attempt is under way, or its process is gone. */
  readonly claimed: number;
}

/** What would be worked by itself, if it were: jobs by leg, and acts upon many orders that are not done. */
export interface Backlog {
  readonly legs: Readonly<Record<Leg, LegBacklog>>;
  readonly bulkJobs: number;
}

export const MAX_COUNTED = 100_000;

export type ReadBacklog = (now: number | null) => Promise<Backlog>;

export function createReadBacklog({ run, words }: Pick<Database, "run" | "words">): ReadBacklog {
  const count = (rows: string): string =>
    `(select count(*) from (select 1 as one ${rows} limit ${MAX_COUNTED}) counted)`;
  const legTexts = LEGS.map((leg) => {
    const { jobs } = LEG_TABLES[leg];
    const pending = (due: string): string =>
      count(`from ${jobs} where status = 'pending' and next_attempt_at ${due} (select now from clock)`);
    const text = `with clock as (select ${words.now("$1")} as now)
      select ${pending("<=")} as due, ${pending(">")} as later,
        ${count(`from ${jobs} where status = 'running'`)} as claimed`;
    return [leg, text] as const;
  });
  const running = `select count(*) as n from bulk_jobs where status = 'running'`;
  return async (now) => {
    const legs = {} as Record<Leg, LegBacklog>;
    for (const [leg, text] of legTexts) legs[leg] = { ...(await run<LegBacklog>(text, [now]))[0]! };
    const [bulk] = await run<{ n: number }>(running, []);
    return { legs, bulkJobs: bulk!.n };
  };
}
