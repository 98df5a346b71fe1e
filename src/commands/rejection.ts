import { type Command, InvalidArgumentError } from "commander";
import { isoTime, readTime } from "../lib/iso-time.ts";
import type { Place, RejectionRow } from "../storage/lists.ts";
import { asPlace } from "./attempt.ts";
import { configHere, withStorage } from "./cli/database.ts";
import { fittedTable } from "./cli/fitted-table.ts";
import { JSON_OPTION, withExamples } from "./cli/help.ts";
import { brief, print, printJson } from "./cli/output.ts";
import { relative } from "./cli/time.ts";
import { asTime } from "./order-filter-options.ts";
import { asLimit } from "./order-list.ts";

interface Options {
  readonly partner?: string;
  readonly externalId?: string;
  readonly status?: number;
  readonly since?: string;
  readonly until?: string;
  readonly limit: number;
  readonly cursor?: Place;
  readonly json?: boolean;
}

const REASON_CHARS = 100;

export function define(command: Command): void {
  command.description(
    "Look through orders that were refused: the partner says it sent one, and there is none.",
  );
  const rejections = command
    .command("list")
    .summary("list refused requests, newest first")
    .description(
      "List what POST /orders answered with 400, 401, 403, 409, 422 or 429. Equal requests of a moment are counted " +
        "together, and of a storm only the beginning is kept one by one.",
    )
    .option("--partner <id>", "that named this partner")
    .option("--external-id <id>", "with this external_order_id, where it could be read")
    .option("--status <status>", "answered with this HTTP status", asRefusal)
    .option("--since <time>", "from then on: a time or date, or so long ago as 24h", asTime)
    .option("--until <time>", "before then", asTime)
    .option("--limit <n>", "how many, 1 to 200", asLimit, 50)
    .option("--cursor <cursor>", "the next page, as the page before names it", asPlace)
    .option(...JSON_OPTION)
    .action(list);
  for (const each of [command, rejections]) {
    withExamples(each, [
      ["rejection list --external-id EXT-42", "The partner says it sent EXT-42. What became of it?"],
      ["rejection list --partner demo --since 24h", "What has a partner been refused, and why?"],
      ["rejection list --status 401 --since 1h --json", "Who comes without a right token, for a script"],
    ]);
  }
}

async function list({ json = false, limit, cursor, ...options }: Options): Promise<void> {
  const filter = {
    partnerId: options.partner ?? null,
    externalOrderId: options.externalId ?? null,
    status: options.status ?? null,
    since: readTime(options.since ?? "") ?? null,
    until: readTime(options.until ?? "") ?? null,
  };
  const { rows, next } = await withStorage(configHere(), ({ lists }) =>
    lists.rejections(filter, cursor ?? null, limit),
  );
  if (json) printJson(rows.map(({ at, ...row }) => ({ ...row, at: isoTime(at) })));
  else print(rows.length === 0 ? "No refused requests." : rejectionTable(rows, Date.now()));
  if (next !== null) process.stderr.write(`Older ones: --cursor ${next.join(".")}\n`);
}

function rejectionTable(rows: readonly RejectionRow[], nowMs: number): string {
  return fittedTable(
    ["LAST", "PARTNER", "EXTERNAL ID", "FROM", "COUNT", "ANSWER", "REASON"],
    rows.map((row) => [
      relative(row.at, nowMs),
      row.partner_id,
      row.external_order_id ?? "",
      row.ip ?? "",
      String(row.count),
      `${row.status} ${row.problem}`,
      brief(row.reason, REASON_CHARS),
    ]),
    { cut: "REASON", drop: ["COUNT", "FROM"] },
  );
}

function asRefusal(text: string): number {
  if (!/^4\d\d$/.test(text)) throw new InvalidArgumentError("An HTTP status is expected: 400 to 499.");
  return Number(text);
}
