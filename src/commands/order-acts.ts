import { type Command, InvalidArgumentError, Option } from "commander";
import { type BulkAction, MAX_BULK_PACE } from "../orders/bulk.ts";
import { ANY_ORDER } from "../orders/order-filter.ts";
import { resolveTicketed } from "../pipeline/resolve.ts";
import { createActsTried } from "../storage/acts-tried.ts";
import type { Refused, Retried } from "../storage/operator-actions.ts";
import type { Act } from "../storage/operator-record.ts";
import type { Storage } from "../storage/open.ts";
import { runBulk } from "./bulk-run.ts";
import { configHere, withStorage } from "./cli/database.ts";
import { Failure } from "./cli/failure.ts";
import { JSON_OPTION, withExamples } from "./cli/help.ts";
import { invocation } from "./cli/invocation.ts";
import { print, printJson } from "./cli/output.ts";
import { userOfShell } from "./cli/user.ts";
import { type OrderFilterOptions, orderFilterOf, withOrderFilter } from "./order-filter-options.ts";
import { findOne, notFound } from "./order-lookup.ts";

interface ActOptions {
  readonly reason: string;
  readonly actor?: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

interface BulkOptions extends ActOptions, OrderFilterOptions {
  readonly pace?: number;
  readonly yes?: boolean;
}

/** Whatever is done is recorded with who and why. */
function withRecord(command: Command): Command {
  return command
    .requiredOption("--reason <text>", "why, for the record: 1 to 500 characters", asRecord)
    .option("--actor <name>", "who, for the record; without: the user of this shell", asRecord)
    .option("--dry-run", "change nothing, tell what would be done")
    .option(...JSON_OPTION);
}

/** An act upon one order, or upon all of a filter: the same for each but what it does. */
interface OneOrMany {
  readonly action: BulkAction;
  readonly description: string;
  readonly examples: readonly (readonly [args: string, what: string])[];
  /** Does it to one. @returns what is told, as JSON and as lines */
  one(storage: Storage, id: number, act: Act): Promise<{ json: object; lines: readonly string[] }>;
}

function defineOneOrMany(command: Command, what: OneOrMany): void {
  command.argument(
    "[ref]",
    "its id, or anything else that names it alone; without: all orders of the filter",
  );
  withOrderFilter(withRecord(command))
    .description(`${what.description} With filters instead of one order, the count is shown first.`)
    .option("--pace <orders>", `of many: orders per second, up to ${MAX_BULK_PACE}`, asPace)
    .option("--yes", "of many: don't ask; needed where there is no terminal")
    .action((ref: string | undefined, options: BulkOptions) => act(what, ref, options));
  withExamples(
    command,
    what.examples,
    "With filters it is a durable job, worked in small steps: Ctrl-C leaves it to a running gateway, and `bulk` follows it.",
  );
}

async function act(what: OneOrMany, ref: string | undefined, options: BulkOptions): Promise<void> {
  const { reason, actor = userOfShell(), json = false, dryRun = false, yes = false, pace } = options;
  const filter = orderFilterOf(options);
  const hasFilter = JSON.stringify(filter) !== JSON.stringify(ANY_ORDER);
  if ((ref === undefined) !== hasFilter) {
    throw new Failure("usage", "say which: one order, or filters like --status and --partner");
  }
  if (ref !== undefined && pace !== undefined) {
    throw new Failure("usage", "--pace is for many orders: it goes with filters");
  }
  const config = configHere();
  await withStorage(config, async (storage) => {
    if (ref === undefined) {
      const request = { action: what.action, filter, actor, reason, dryRun, yes, json };
      return runBulk(storage, config, pace === undefined ? request : { ...request, pace });
    }
    const id = await findOne(storage, ref);
    const done = await what.one(dryRun ? tried(storage) : storage, id, { actor, reason });
    if (json) return printJson({ ...done.json, actor, reason, ...(dryRun ? { dry_run: true } : {}) });
    if (dryRun) return print(`Would ${what.action} order ${id}.`);
    for (const line of done.lines) print(line);
  });
}

/** For what would be done, without doing it. */
function tried(storage: Storage): Storage {
  return { ...storage, operatorActions: createActsTried(storage.database) };
}

const RETRY: OneOrMany = {
  action: "retry",
  description:
    "Work an order again that stands still (blocked, exhausted or unknown): a new run of its leg, due at once. " +
    "It is recorded with who and why. Ticketing gets the same Idempotency-Key as before.",
  examples: [
    ["order retry 12 --reason 'SKU is on sale again'", "The cause is gone: try again"],
    [
      "order retry --status ticketing_exhausted --since 12h --reason 'ticketing is back' --dry-run",
      "How many did the night leave behind?",
    ],
    ["order retry --status ticketing_exhausted --partner demo --reason 'it is back' --yes", "Retry them all"],
  ],
  one: async ({ operatorActions }, id, by) => retriedOrder(id, await operatorActions.retry(id, by, null)),
};
/** Ticketing knows nothing of the order: only its own leg can be meant. */
const NOT_TICKETED: OneOrMany = {
  ...RETRY,
  one: async ({ operatorActions }, id, by) =>
    retriedOrder(id, await operatorActions.retryTicketing(id, by, null)),
};

function retriedOrder(id: number, retried: Retried) {
  if (retried.kind !== "retried") throw refusal(retried, id, "there is nothing to retry");
  const { leg, from, to } = retried;
  return {
    json: { id, leg, from, to },
    lines: [
      `Order ${id}: ${leg} begins again (${from} -> ${to}), as soon as a running gateway looks.`,
      `\`${invocation()} order show ${id}\` tells what comes of it.`,
    ],
  };
}

const RESEND: OneOrMany = {
  action: "resend",
  description:
    "Send a callback again that was delivered, for a partner who has lost it: the same event, byte for byte, under the " +
    "same event_id.",
  examples: [
    ["order resend 12 --reason 'the partner restored a backup'", "Send it once more"],
    [
      "order resend --status ota_callback_delivered --partner demo --since 2h --reason 'they lost two hours'",
      "All that a partner was told of the orders of the last two hours",
    ],
  ],
  async one({ operatorActions }, id, by) {
    const resent = await operatorActions.resend(id, by, null);
    if (resent.kind !== "resent") throw refusal(resent, id, "there is no delivered callback");
    return {
      json: { id, from: "ota_callback_delivered", to: "ota_callback_pending" },
      lines: [`Order ${id}: the same callback is sent again, as soon as a running gateway looks.`],
    };
  },
};

const CANCEL: OneOrMany = {
  action: "cancel",
  description:
    "End an order before it is ticketed. With an attempt in flight the cancel is requested: if that attempt " +
    "succeeds, the order is ticketed all the same. Tickets that exist are ticketing's to revoke.",
  examples: [
    ["order cancel 12 --reason 'the buyer has withdrawn'", "Keep an order from being ticketed"],
    [
      "order cancel --visit-to 2026-08-24 --status ticketing_exhausted --reason 'too late'",
      "Those of yesterday",
    ],
  ],
  async one({ operatorActions }, id, by) {
    const { kind, ...cancelled } = await operatorActions.cancel(id, by, null);
    if (kind !== "cancelled" && kind !== "requested") {
      throw refusal({ kind, ...cancelled } as Refused, id, "it can't be cancelled any more");
    }
    const lines = {
      cancelled: `Order ${id} is cancelled.`,
      requested: `Order ${id}: the cancel takes effect when the attempt in flight ends, unless that brings tickets.`,
    };
    return { json: { id, result: kind }, lines: [lines[kind]] };
  },
};

const CLOSE: OneOrMany = {
  action: "close",
  description:
    "Close an order that stands still, as it was handled outside the gateway. Nothing more is done or told.",
  examples: [["order close 12 --reason 'ticketed at the counter'", "It was settled by hand"]],
  async one({ operatorActions }, id, by) {
    const closed = await operatorActions.close(id, by, null);
    if (closed.kind !== "closed") throw refusal(closed, id, "it can't be closed: it must stand still");
    return { json: { id, from: closed.from, to: "closed" }, lines: [`Order ${id} is closed.`] };
  },
};

export const defineRetry = (command: Command): void => defineOneOrMany(command, RETRY);
export const defineResend = (command: Command): void => defineOneOrMany(command, RESEND);
export const defineCancel = (command: Command): void => defineOneOrMany(command, CANCEL);
export const defineClose = (command: Command): void => defineOneOrMany(command, CLOSE);

export function defineResolve(command: Command): void {
  withRecord(command.argument("<ref>", "its id, or anything else that names it alone"))
    .description(
      "Decide an order of which nobody knows whether ticketing acted on it (ticketing_unknown), or that stands blocked " +
        "or exhausted: ask ticketing, then say what it said. Ticketed: the codes are stored and the partner is told. " +
        "Not ticketed: ticketing is called again.",
    )
    .addOption(
      new Option("--ticketed", "ticketing has issued the tickets: with --code or --reference").conflicts(
        "notTicketed",
      ),
    )
    .addOption(
      new Option("--not-ticketed", "ticketing knows nothing of the order").conflicts(["code", "reference"]),
    )
    .option("--code <code...>", "the tickets' codes", asCodes)
    .option("--reference <text>", "ticketing's reference", asName)
    .action(resolve);
  withExamples(command, [
    ["order resolve 12 --ticketed --code A1 A2 --reason 'seen in the back office'", "The tickets exist"],
    ["order resolve 12 --not-ticketed --reason 'asked ticketing'", "They don't: try again"],
  ]);
}

interface ResolveOptions extends ActOptions {
  readonly ticketed?: boolean;
  readonly notTicketed?: boolean;
  readonly code?: readonly string[];
  readonly reference?: string;
}

async function resolve(ref: string, options: ResolveOptions): Promise<void> {
  if (options.ticketed === options.notTicketed) {
    throw new Failure("usage", "say what ticketing said: --ticketed with its codes, or --not-ticketed");
  }
  const { reason, actor = userOfShell(), code: tickets = [], reference = null } = options;
  const { json = false, dryRun = false } = options;
  if (options.notTicketed) return act(NOT_TICKETED, ref, { reason, actor, json, dryRun });
  if (tickets.length === 0 && reference === null) {
    throw new Failure("usage", "--ticketed needs --code or --reference: the partner is told them");
  }
  await withStorage(configHere(), async (storage) => {
    const id = await findOne(storage, ref);
    const by = { actor, reason };
    const acting = dryRun ? tried(storage) : storage;
    const marked = await resolveTicketed(acting, id, { tickets, reference }, by, Date.now());
    if (marked.kind !== "ticketed") throw refusal(marked, id, "it can't be marked ticketed");
    if (json) {
      const told = { id, from: marked.from, to: "ticketed", tickets, reference, actor, reason };
      return printJson(dryRun ? { ...told, dry_run: true } : told);
    }
    if (dryRun) return print(`Would mark order ${id} ticketed by hand.`);
    print(`Order ${id} is ticketed by hand; its partner is told as soon as a running gateway looks.`);
  });
}

function refusal(refused: Refused, id: number, why: string): Failure {
  if (refused.kind === "not_found") return notFound(String(id));
  const because = refused.kind === "refused" ? (refused.why ?? why) : why;
  return new Failure("failed", `order ${id} is ${refused.status}: ${because}`, {
    advice: `\`${invocation()} order show ${id}\` tells where it stands`,
  });
}

/** One line of text by a person. @throws InvalidArgumentError */
export function asRecord(text: string): string {
  const record = text.trim();
  if (record === "" || record.length > 500 || /\p{Cc}/u.test(record)) {
    throw new InvalidArgumentError("1 to 500 characters on one line are expected.");
  }
  return record;
}

function asPace(text: string): number {
  const pace = Number(text);
  if (!/^\d{1,4}(\.\d)?$/.test(text) || pace < 0.1 || pace > MAX_BULK_PACE) {
    throw new InvalidArgumentError(`A number from 0.1 to ${MAX_BULK_PACE} is expected.`);
  }
  return pace;
}

function asName(text: string): string {
  if (text === "" || text.length > 255 || /\p{Cc}/u.test(text)) {
    throw new InvalidArgumentError("1 to 255 characters on one line are expected.");
  }
  return text;
}

function asCodes(text: string, earlier: readonly string[] = []): string[] {
  return [...earlier, asName(text)];
}
