import { type Command, InvalidArgumentError, Option } from "commander";
import { isoTime, readTime } from "../lib/iso-time.ts";
import { ATTEMPT_ERRORS, type AttemptError } from "../orders/outcome.ts";
import { type Leg, LEGS } from "../orders/states.ts";
import type { ListedAttempt } from "../storage/attempt-list.ts";
import type { Place } from "../storage/lists.ts";
import { configHere, withStorage } from "./cli/database.ts";
import { fittedTable } from "./cli/fitted-table.ts";
import { JSON_OPTION, withExamples } from "./cli/help.ts";
import { brief, type Cell, print, printJson } from "./cli/output.ts";
import { relative, span } from "./cli/time.ts";
import { asTime } from "./order-filter-options.ts";
import { asId, asLimit } from "./order-list.ts";

interface Options {
  readonly leg?: Leg;
  readonly code?: number;
  readonly error?: AttemptError;
  readonly failed?: boolean;
  readonly partner?: string;
  readonly order?: number;
  readonly since?: string;
  readonly until?: string;
  readonly limit: number;
  readonly cursor?: Place;
  readonly json?: boolean;
}

export function define(command: Command): void {
  command.description("Look through the attempts of both legs, across orders.");
  const attempts = command
    .command("list")
    .summary("list attempts, newest first")
    .description(
      "List attempts. Failed ones come in the order of their time; where others are meant too, by order: the newest " +
        "order first, each with all of its attempts.",
    )
    .addOption(new Option("--leg <leg>", "of this leg").choices(LEGS))
    .option("--code <status>", "answered with this HTTP status", asStatus)
    .addOption(new Option("--error <error>", "that failed with this").choices(ATTEMPT_ERRORS))
    .option("--failed", "that brought no 2xx")
    .option("--partner <id>", "of this partner's orders")
    .option("--order <id>", "of this order", asId)
    .option("--since <time>", "begun from then on: a time or date, or so long ago as 24h", asTime)
    .option("--until <time>", "begun before then", asTime)
    .option("--limit <n>", "how many, 1 to 200", asLimit, 50)
    .option("--cursor <cursor>", "the next page, as the page before names it", asPlace)
    .option(...JSON_OPTION)
    .action(list);
  for (const each of [command, attempts]) {
    withExamples(each, [
      ["attempt list --failed --since 1h", "What went wrong in the last hour?"],
      ["attempt list --leg callback --error timeout --partner demo", "Whose callbacks time out?"],
      ["attempt list --code 503 --since 24h --json", "For a script"],
    ]);
  }
}

async function list({ json = false, limit, cursor, ...options }: Options): Promise<void> {
  const filter = {
    leg: options.leg ?? null,
    code: options.code ?? null,
    error: options.error ?? null,
    failed: options.failed ?? false,
    partnerId: options.partner ?? null,
    orderId: options.order ?? null,
    since: readTime(options.since ?? "") ?? null,
    until: readTime(options.until ?? "") ?? null,
  };
  const { rows, next } = await withStorage(configHere(), async ({ listAttempts }) => {
    const found: ListedAttempt[] = [];
    let place: Place | null = cursor ?? null;
    // A page may end early where few of many match.
    do {
      const page = await listAttempts(filter, place, limit - found.length);
      found.push(...page.rows);
      place = page.next;
    } while (place !== null && found.length < limit);
    return { rows: found, next: place };
  });
  if (json) printJson(rows.map(({ at, ...row }) => ({ ...row, at: isoTime(at) })));
  else print(rows.length === 0 ? "No attempts." : attemptTable(rows, Date.now()));
  if (next !== null) process.stderr.write(`Older ones: --cursor ${next.join(".")}\n`);
}

function attemptTable(rows: readonly ListedAttempt[], nowMs: number): string {
  const head = ["ORDER", "PARTNER", "LEG", "NO", "RESULT", "BEGUN", "TOOK", "NOTE"];
  return fittedTable(
    head,
    rows.map(({ order_id, partner_id, leg, no, code, error, at, duration_ms, note }): Cell[] => {
      const isFailure = error !== null || code === null || code >= 300;
      const result = [code, error].filter((each) => each !== null).join(" ");
      return [
        String(order_id),
        partner_id,
        leg,
        String(no),
        { text: result, style: isFailure ? "red" : "green" },
        relative(at, nowMs),
        duration_ms === null ? "" : span(duration_ms),
        brief(note ?? "", 60),
      ];
    }),
    { cut: "NOTE", drop: ["TOOK", "PARTNER"] },
  );
}

function asStatus(text: string): number {
  if (!/^[1-9]\d\d$/.test(text)) throw new InvalidArgumentError("An HTTP status is expected: 100 to 999.");
  return Number(text);
}

export function asPlace(text: string): Place {
  if (!/^\d{1,16}(\.\d{1,16}){0,3}$/.test(text)) {
    throw new InvalidArgumentError("Take it from the page before.");
  }
  return text.split(".").map(Number);
}
