import type { JobStatus, Leg, OrderStatus } from "./states.ts";
import { type Brought, clauseOf, oneLine, subjectOf } from "./verdict-words.ts";

/** Two sentences. */
export interface Told {
  /** What happened. */
  readonly happened: string;
  /** What comes next, also when that is nothing. */
  readonly next: string;
}

export interface JobFacts {
  readonly status: JobStatus;
  readonly attempts: number;
  readonly run_attempts: number;
  readonly run_started_at: number | null;
  readonly next_attempt_at: number | null;
  readonly held_until: number | null;
  readonly claimed_at: number | null;
  readonly lease_until: number | null;
  readonly ends_as: JobStatus | null;
}

export interface LegFacts {
  readonly job: JobFacts;
  readonly attempts: readonly (Brought & { readonly no: number; readonly at: number })[];
}

interface CircuitFacts {
  readonly leg: Leg;
  readonly state: "open" | "closed";
  readonly reason: string | null;
  readonly opened_at: number;
}

/** As much of an order's story as the verdict rests on. Times are epoch milliseconds. */
export interface VerdictStory {
  readonly order: {
    readonly id: number;
    readonly pipeline_status: OrderStatus;
    readonly trace_id: string;
    readonly callback_url: string;
    readonly blocked_reason: string | null;
    readonly reference: string | null;
    readonly delivered_at: number | null;
  };
  readonly tickets: readonly unknown[];
  readonly ticketing: LegFacts | null;
  /** That of `order.ticketed`. */
  readonly callback: LegFacts | null;
  readonly late: readonly (Brought & { readonly leg: Leg })[];
  readonly actions: readonly { readonly actor: string; readonly action: string; readonly reason: string }[];
}

export interface VerdictContext {
  readonly nowMs: number;
  readonly attemptsPerRun: number;
  /** Those of the order's targets, as they last opened. */
  readonly circuits: readonly CircuitFacts[];
  /** While the gateway is held, nothing is worked; null: it works. */
  readonly hold: { readonly since: number; readonly reason: string } | null;
  /** Null: its row is gone. */
  readonly partner: { readonly disabled_at: number | null } | null;
}

/** Why a leg stands still, in the words of its settle; without them, by its last attempt. */
export function reasonOf(leg: Leg, story: VerdictStory): string {
  const { blocked_reason: reason, callback_url: url } = story.order;
  if (reason !== null && reason.trim() !== "") return oneLine(reason);
  const last = story[leg]?.attempts.at(-1);
  return last === undefined ? "no reason is on record" : clauseOf(subjectOf(leg, url), last);
}

/** True if ticketing has reported success, if it has, by word alone: with a login page and a 200, say. */
export function isTicketless({ tickets, order }: VerdictStory): boolean {
  return tickets.length === 0 && order.reference === null;
}

/** What ticketing has given, and how if that was out of turn. */
export function tickets(story: VerdictStory): string {
  if (isTicketless(story)) return "ticketing reported success, though without tickets or a reference";
  const count = story.tickets.length;
  const reference = story.order.reference === null ? "" : ` (reference ${oneLine(story.order.reference)})`;
  const given = count === 0 ? "taken the order" : `issued ${count} ${count === 1 ? "ticket" : "tickets"}`;
  return `ticketing has ${given}${reference}${cameLate(story) ? ", in an answer that came late" : ""}`;
}

/** Only a result that came after its claim had ended was a success. */
function cameLate({ late, ticketing }: VerdictStory): boolean {
  const succeeded = ({ code, error }: Brought): boolean =>
    error === null && code !== null && code >= 200 && code < 300;
  return (
    late.some((result) => result.leg === "ticketing" && succeeded(result)) &&
    !(ticketing?.attempts ?? []).some(succeeded)
  );
}

/** Ticketing has blocked an order whose tickets it has issued: in an answer that could not be read. */
export function hasUnreadTickets({ order, ticketing }: VerdictStory): boolean {
  const last = ticketing?.attempts.at(-1);
  if (order.pipeline_status !== "ticketing_blocked" || last === undefined) return false;
  const { code, error } = last;
  return (error === "too_large" || error === "mapping") && code !== null && code >= 200 && code < 300;
}
