import type { Command } from "commander";
import { errorGroupsView } from "../http/overview-view.ts";
import type { ErrorGroup } from "../orders/error-tally.ts";
import { configHere, withStorage } from "./cli/database.ts";
import { fittedTable } from "./cli/fitted-table.ts";
import { JSON_OPTION, withExamples } from "./cli/help.ts";
import { invocation } from "./cli/invocation.ts";
import { brief, print, printJson } from "./cli/output.ts";
import { parseDuration, relative } from "./cli/time.ts";

interface ErrorsOptions {
  /** Milliseconds. */
  readonly since?: number;
  readonly json?: boolean;
}

const DAY_MS = 86_400_000;
const MESSAGE_CHARS = 60;

export function define(command: Command): void {
  command
    .description(
      "Show what fails, in groups of one cause: orders that stand still or wait for another attempt now, and the failed " +
        "attempts of a time.",
    )
    .option("--since <duration>", "attempts of so long ago count, as 1h or 7d (default: 24h)", parseDuration)
    .option(...JSON_OPTION)
    .action(errors);
  withExamples(command, [
    ["errors", "What went wrong in the last day, and what still stands?"],
    ["order list --error-group 'ticketing:503:-:...'", "The orders of a group, by its fingerprint"],
  ]);
}

async function errors({ since: sinceMs = DAY_MS, json = false }: ErrorsOptions): Promise<void> {
  const config = configHere();
  const nowMs = Date.now();
  const since = nowMs - sinceMs;
  const found = await withStorage(config, (storage) => storage.errorGroups.list(since));
  const { url } = config.ticketing;
  const ticketingHost = url === null ? null : new URL(url).host;
  if (json) return printJson(errorGroupsView(found, since, ticketingHost));
  if (found.groups.length === 0)
    return print("Nothing stands still, waits for another attempt, or failed of late.");
  print(
    fittedTable(
      HEAD,
      found.groups.map((group) => rowOf(group, nowMs)),
      { cut: "MESSAGE", drop: ["PARTNERS", "LAST", "FINGERPRINT", "WAITING", "ATTEMPTS"] },
    ),
  );
  if (found.atLeast) print('\nThere is more than was worth counting: each number says "at least".');
  const { fingerprint, exampleOrderId } = found.groups[0]!;
  print(`\nThe orders of the first group:   ${invocation()} order list --error-group '${fingerprint}'`);
  print(`The story of its newest order:   ${invocation()} order show ${exampleOrderId}`);
}

const HEAD = [
  "STANDING",
  "WAITING",
  "ATTEMPTS",
  "LEG",
  "RESULT",
  "MESSAGE",
  "PARTNERS",
  "LAST",
  "NEWEST",
  "FINGERPRINT",
];

function rowOf(group: ErrorGroup, nowMs: number): string[] {
  const result = [group.code, group.error].filter((each) => each !== null).join(" ");
  return [
    String(group.standing.size),
    String(group.waiting.size),
    String(group.attempts),
    group.host ?? group.leg,
    result || "given up",
    brief(group.message, MESSAGE_CHARS),
    brief(group.partners.join(", "), MESSAGE_CHARS),
    relative(group.lastSeen, nowMs),
    String(group.exampleOrderId),
    group.fingerprint,
  ];
}
