import type { Leg } from "./states.ts";
import {
  type JobFacts,
  type LegFacts,
  tickets,
  type Told,
  type VerdictContext,
  type VerdictStory,
} from "./verdict-facts.ts";
import { clauseOf, clockTime, oneLine, subjectOf, times } from "./verdict-words.ts";

/** When nothing has moved for so long, somebody should look. */
const OVERDUE_MS = 60_000;
/** A leg whose attempts are still to come, or under way. */
export function inWork(leg: Leg, story: VerdictStory, context: VerdictContext): Told {
  const { nowMs, attemptsPerRun } = context;
  const facts = story[leg];
  if (facts === null) {
    return {
      happened: before(leg, story, facts),
      next: "its job is missing, which should never be: report it",
    };
  }
  const { job } = facts;
  const at = (epochMs: number): string => clockTime(epochMs, nowMs);
  const happened = before(leg, story, facts);
  const isOrphaned = job.lease_until !== null && job.lease_until < nowMs;
  if (context.hold !== null && (job.status === "pending" || isOrphaned)) {
    const { since, reason } = context.hold;
    return {
      happened: `${happened}; the gateway is held since ${at(since)}, and works nothing (${oneLine(reason)})`,
      next: "it goes on when an operator releases the gateway",
    };
  }
  if (job.status === "running") return underWay(leg, happened, job, at, nowMs);
  const trouble = troubleOf(leg, story, context);
  if (trouble !== null || job.held_until !== null) {
    const subject = subjectOf(leg, story.order.callback_url);
    const limit = job.held_until === null ? "" : `; if not by ${at(job.held_until)}, it is given up`;
    return {
      happened: `${happened}; its attempts are held back, as ${trouble ?? `${subject} has failed for many orders`}`,
      next: `it goes on by itself as soon as ${subject} works again, which is tried every few seconds${limit}`,
    };
  }
  if (job.next_attempt_at === null) {
    return {
      happened,
      next: `its ${leg} job is ${job.status}, and no attempt is planned: an operator should look`,
    };
  }
  const attempt = job.run_attempts === 0 ? "the first try" : "next try";
  const left = Math.max(0, attemptsPerRun - job.run_attempts);
  if (job.next_attempt_at > nowMs)
    return { happened, next: `${attempt} at ${at(job.next_attempt_at)}, ${left} left` };
  const overdue = nowMs - job.next_attempt_at > OVERDUE_MS;
  return {
    happened,
    next: overdue
      ? `${attempt} has been due since ${at(job.next_attempt_at)}, ${left} left: look whether a gateway is running and has free slots`
      : `${attempt} is due now, ${left} left: a running gateway makes it`,
  };
}

function underWay(
  leg: Leg,
  happened: string,
  job: JobFacts,
  at: (ms: number) => string,
  nowMs: number,
): Told {
  const lease = job.lease_until;
  if (lease !== null && lease < nowMs) {
    return {
      happened: `${happened}; attempt ${job.attempts} has outlived its time, as when its process has died`,
      next: "a running gateway takes it over within seconds, and records that attempt as lost",
    };
  }
  const end = lease === null ? "" : ` by ${at(lease)} at the latest`;
  if (job.ends_as !== null) {
    return {
      happened: `an operator has asked for the order to be ${job.ends_as} while attempt ${job.attempts} of ${leg} was under way`,
      next: `when that attempt ends${end}, a success still counts, and anything else ends the order as ${job.ends_as}`,
    };
  }
  return {
    happened,
    next: `attempt ${job.attempts} of ${leg} is under way, and ends${end || " with its deadline"}`,
  };
}

/** What an open circuit has seen; null: it is closed. */
function troubleOf(leg: Leg, { order }: VerdictStory, { circuits, nowMs }: VerdictContext): string | null {
  const open = circuits.find((circuit) => circuit.leg === leg && circuit.state === "open");
  if (!open) return null;
  const reason = open.reason === null ? "" : ` (${oneLine(open.reason)})`;
  const since = clockTime(open.opened_at, nowMs);
  return `${subjectOf(leg, order.callback_url)} has failed for many orders in a row since ${since}${reason}`;
}

/** Where the leg stands, by what its present run has brought. */
function before(leg: Leg, story: VerdictStory, facts: LegFacts | null): string {
  const subject = subjectOf(leg, story.order.callback_url);
  const run = attemptsOfRun(facts);
  const last = run.at(-1);
  if (last === undefined) {
    if ((facts?.attempts.length ?? 0) > 0) return begunAgain(leg, story);
    return leg === "ticketing"
      ? "the order is stored, and ticketing has not been asked yet"
      : `${tickets(story)}, and the partner has not been told yet`;
  }
  const alike =
    run.length - 1 - run.findLastIndex((each) => each.code !== last.code || each.error !== last.error);
  const clause = clauseOf(subject, last);
  const failed =
    alike === run.length
      ? `${clause}${run.length === 1 ? "" : ` ${times(run.length)}`}`
      : `${run.length} attempts failed; at last ${clause}`;
  return leg === "ticketing" ? failed : `${tickets(story)}, but ${failed}`;
}

function begunAgain(leg: Leg, story: VerdictStory): string {
  const by = story.actions.at(-1);
  const who = by === undefined ? "an operator" : oneLine(by.actor) || "an operator";
  const again = `${who} has begun a new run of ${leg}`;
  return leg === "ticketing" ? again : `${tickets(story)}, and ${again}`;
}

function attemptsOfRun(facts: LegFacts | null): LegFacts["attempts"] {
  const since = facts?.job.run_started_at ?? null;
  return since === null ? [] : (facts?.attempts ?? []).filter(({ at }) => at >= since);
}
