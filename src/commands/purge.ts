import { type Command, InvalidArgumentError } from "commander";
import { unhurried } from "../lib/unhurried.ts";
import type { Storage } from "../storage/open.ts";
import type { Step } from "../storage/retention.ts";
import { configHere, placeOf, withStorage } from "./cli/database.ts";
import { isConfirmed } from "./cli/confirm.ts";
import { Failure } from "./cli/failure.ts";
import { JSON_OPTION, withExamples } from "./cli/help.ts";
import { print, printJson } from "./cli/output.ts";
import { isoTime } from "../lib/iso-time.ts";
import { parseDurationUpTo } from "./cli/time.ts";

const DAY_MS = 86_400_000;
/** Orders looked at in one statement, and dealt with in one transaction. Their payloads may have 256 KiB each. */
const COUNT_PAGE = 5_000;
const [BLANK_PAGE, DELETE_PAGE] = [100, 500];
const PROGRESS_MS = 5_000;
const GONE = "what is purged is gone for good: say --yes, or --dry-run to look only";

interface Options {
  readonly ordersOlderThan?: number;
  readonly buyersOlderThan?: number;
  readonly dryRun?: true;
  readonly yes?: true;
  readonly json?: true;
}

/** One of the two things that a purge does, as it is told to. */
interface Task {
  readonly name: "orders" | "buyers";
  readonly before: number;
  /** "delete 12 orders ..." */
  say(orders: number): string;
  readonly count: Step;
  readonly work: Step;
  readonly page: number;
}

export function define(command: Command): void {
  command
    .description(
      "Take old data out of the database, of finished orders alone: delivered, cancelled or closed, and not changed " +
        "since. Orders that anybody may still work on are never touched. Shows what it would do and asks first.",
    )
    .option(
      "--buyers-older-than <duration>",
      "blank buyers' data wherever a copy lies (payload, answers, tickets but their codes, callbacks); the rest stays",
      asAge,
    )
    .option(
      "--orders-older-than <duration>",
      "delete orders whole, with their idempotency keys; RETENTION_DAYS does it by itself",
      asAge,
    )
    .option("--dry-run", "change nothing, show the counts")
    .option("--yes", "don't ask; needed where there is no terminal")
    .option(...JSON_OPTION)
    .action(purge);
  withExamples(
    command,
    [
      ["purge --buyers-older-than 90d --dry-run", "See how many orders that concerns"],
      ["purge --buyers-older-than 90d --yes", "The same for real, as a daily job"],
      ["purge --orders-older-than 400d", "Delete what is older"],
    ],
    "It works in small transactions with rests between, beside a running gateway. When it is interrupted, run it again.",
  );
}

async function purge(options: Options): Promise<void> {
  const { json = false, dryRun = false, yes = false } = options;
  if (options.ordersOlderThan === undefined && options.buyersOlderThan === undefined) {
    throw new Failure("usage", "say what to purge: --buyers-older-than, --orders-older-than or both");
  }
  const config = configHere();
  await withStorage(config, async (storage) => {
    const tasks = tasksOf(storage, options);
    const found: Record<string, number> = {};
    for (const task of tasks) found[task.name] = await through(task, task.count, COUNT_PAGE, null);
    if (!json) {
      print(`In ${placeOf(config.databaseUrl)}:`);
      for (const task of tasks) print(`  ${task.say(found[task.name]!)}`);
    }
    const nothing = Object.values(found).every((orders) => orders === 0);
    if (dryRun || nothing) return json ? printJson({ dry_run: dryRun, found, purged: null }) : undefined;
    if (!yes && !(await isConfirmed("Go ahead? It can't be undone.", json, GONE)))
      throw new Failure("failed", "nothing was changed");

    const purged: Record<string, number> = {};
    for (const task of tasks)
      purged[task.name] = await through(task, task.work, task.page, found[task.name]!);
    if (json) return printJson({ dry_run: false, found, purged });
    const told = tasks.map(({ name }) => `${name === "orders" ? "deleted" : "blanked"}: ${purged[name]}`);
    print(`Done. Orders ${told.join(", ")}.`);
  });
}

function tasksOf({ retention }: Storage, options: Options): Task[] {
  const nowMs = Date.now();
  const task = (age: number | undefined, rest: (before: number) => Omit<Task, "before">): Task[] =>
    age === undefined ? [] : [{ before: nowMs - age, ...rest(nowMs - age) }];
  const finished = (before: number) => `finished before ${isoTime(before).slice(0, 10)}`;
  return [
    // First, so that nothing is blanked that goes anyway.
    ...task(options.ordersOlderThan, (before) => ({
      name: "orders",
      say: (orders) => `delete ${orders} orders ${finished(before)}, with all that belongs to them`,
      count: retention.countOrders,
      work: retention.deleteOrders,
      page: DELETE_PAGE,
    })),
    ...task(options.buyersOlderThan, (before) => ({
      name: "buyers",
      say: (orders) => `blank the buyer's data in ${orders} orders ${finished(before)}`,
      count: retention.countWithBuyers,
      work: retention.blankBuyers,
      page: BLANK_PAGE,
    })),
  ];
}

/** Goes through all orders, and says on stderr every few seconds how far it has come. */
async function through(task: Task, step: Step, page: number, total: number | null): Promise<number> {
  let [orders, from, toldAt]: [number, number | null, number] = [0, 0, performance.now()];
  while (from !== null) {
    const afterId: number = from;
    const done = await unhurried(() => step(task.before, afterId, page));
    orders += done.orders;
    from = done.next;
    if (performance.now() - toldAt < PROGRESS_MS) continue;
    toldAt = performance.now();
    process.stderr.write(`${task.name}: ${orders}${total === null ? " found" : ` of ${total}`} ...\n`);
  }
  return orders;
}

/** A day at least: an order that was finished just now may still be asked for. */
function asAge(text: string): number {
  const ageMs = parseDurationUpTo(3650 * DAY_MS, text);
  if (ageMs < DAY_MS) throw new InvalidArgumentError("At least 1d.");
  return ageMs;
}
