import type { FastifyRequest } from "fastify";
import type { Clock } from "../lib/clock.ts";
import type { Log } from "../observe/log.ts";
import type { Rejection, Rejections } from "../storage/rejections.ts";
import { networkOf, printable } from "./auth-failures.ts";
import { headerValues } from "./headers.ts";
import type { JsonBody } from "./json-body.ts";
import { type Problem, problemBody, type ProblemName, PROBLEMS } from "./problem-reply.ts";

/** The record of orders that were refused, so that they can be found when a partner asks for them. */
export interface RejectedRequests {
  /** Never throws, never waits. */
  record(request: FastifyRequest, problem: Problem): void;
  /** Writes what is left. */
  close(): Promise<void>;
}

const RECORDED: ReadonlySet<number> = new Set([400, 401, 403, 409, 422, 429]);
const MINUTE_MS = 60_000;
const FLUSH_MS = 1000;
/** Rows that one minute may open, strangers and all; those of one partner, and among strangers of one address. */
const MAX_ROWS_PER_MINUTE = { strangers: 500, all: 1000 };
const MAX_ROWS_PER_GROUP = 20;
/** Whoever is refused for these may have named any partner. */
const STRANGERS: ReadonlySet<string> = new Set<ProblemName>([
  "invalid-partner",
  "bad-request",
  "development-only",
]);
/** Stands for all partners in the rows that sum up what goes beyond. */
const OTHERS = "*";
const MORE = "more than were kept one by one";
const MAX_PARTNER_ID_CHARS = 64;
const MAX_REASON_CHARS = 300;

/**
 * Counts refusals in memory, equal ones together, and writes them about once a second: a row when it is new, and once more
 * with the rest of its minute, so that a storm of one kind costs two rows a minute. A failing database costs the record,
 * never a request.
 */
export function createRejectedRequests(options: {
  rejections: Pick<Rejections, "write">;
  addressOf: (request: FastifyRequest) => string | null;
  clock: Clock;
  log: Log;
}): RejectedRequests {
  const { rejections, addressOf, clock, log } = options;
  const waiting = new Map<string, Rejection>();
  let currentMinute = 0;
  /** What the minute has opened, and what of it is written. */
  const opened = new Set<string>();
  const groups = new Map<string, number>();
  const written = new Set<string>();
  let soon: NodeJS.Timeout | null = null;
  let later: NodeJS.Timeout | null = null;
  let writing = Promise.resolve();

  async function flush(which: "new" | "all"): Promise<void> {
    const due = [...waiting].filter(([key]) => which === "all" || !written.has(key));
    for (const [key] of due) {
      waiting.delete(key);
      written.add(key);
    }
    if (due.length === 0) return;
    try {
      await rejections.write(due.map(([, row]) => row));
    } catch (error) {
      log.warn({ event: "rejections.lost", rows: due.length, err: error });
    }
  }

  function schedule(isNew: boolean): void {
    if (isNew) {
      soon ??= setTimeout(() => {
        soon = null;
        writing = writing.then(() => flush("new"));
      }, FLUSH_MS).unref();
    } else {
      later ??= setTimeout(() => {
        later = null;
        writing = writing.then(() => flush("all"));
      }, MINUTE_MS).unref();
    }
  }

  /** The request's own row, while there is room for it; else the sum of its group, or the sum of all. */
  function rowFor(row: Rejection): Rejection {
    if (opened.has(keyOf(row))) return row;
    const isStranger = STRANGERS.has(row.problem);
    const network = networkOf(row.ip);
    const group = isStranger ? `ip ${network}` : `partner ${row.partnerId}`;
    const rows = groups.get(group) ?? 0;
    const sum = { ...row, reason: MORE, externalOrderId: null, ip: null };
    if (rows >= MAX_ROWS_PER_GROUP) return isStranger ? { ...sum, partnerId: OTHERS, ip: network } : sum;
    const most = isStranger ? MAX_ROWS_PER_MINUTE.strangers : MAX_ROWS_PER_MINUTE.all;
    if (opened.size >= most) return { ...sum, partnerId: OTHERS };
    groups.set(group, rows + 1);
    return row;
  }

  return {
    record(request, problem) {
      const { status } = PROBLEMS[problem.kind];
      if (!RECORDED.has(status)) return;
      const now = clock.wallMs();
      const minute = now - (now % MINUTE_MS);
      if (minute !== currentMinute) {
        currentMinute = minute;
        for (const book of [opened, groups, written]) book.clear();
      }
      const row = rowFor({
        partnerId: printable(headerValues(request, "x-partner-id").join(", "), MAX_PARTNER_ID_CHARS),
        status,
        problem: problem.kind,
        reason: printable(reasonOf(problem), MAX_REASON_CHARS),
        externalOrderId: externalOrderIdOf(request),
        ip: addressOf(request),
        count: 1,
        at: now,
      });
      const key = keyOf(row);
      opened.add(key);
      waiting.set(key, { ...row, count: (waiting.get(key)?.count ?? 0) + 1 });
      schedule(!written.has(key));
    },
    async close() {
      for (const timer of [soon, later]) if (timer !== null) clearTimeout(timer);
      await writing;
      await flush("all");
    },
  };
}

function keyOf({ partnerId, problem, reason, externalOrderId, ip }: Rejection): string {
  return JSON.stringify([partnerId, problem, reason, externalOrderId, ip]);
}

/** What was answered, with what was wrong; of a storm the same words each time. */
function reasonOf(problem: Problem): string {
  const { kind, more } = problem;
  if (more.record !== undefined) return more.record;
  if (kind === "rate-limited") return PROBLEMS[kind].detail;
  const errors = (more.errors ?? []).map(({ pointer, detail }) => `${pointer} ${detail}`);
  return [String(problemBody(problem)["detail"]), ...errors].join("; ");
}

const EXTERNAL_ID = /^[!-~]{1,128}$/;

/** Only where the body was read before the order was refused. */
function externalOrderIdOf({ body }: FastifyRequest): string | null {
  const value = (body as Partial<JsonBody> | null | undefined)?.value;
  if (typeof value !== "object" || value === null) return null;
  const id = (value as { external_order_id?: unknown }).external_order_id;
  return typeof id === "string" && EXTERNAL_ID.test(id) ? id : null;
}
