import { type Command, InvalidArgumentError, Option } from "commander";
import { ticketedOrder } from "../pipeline/ticketed.ts";
import type { Storage } from "../storage/open.ts";
import type { Refused } from "../storage/operator-actions.ts";
import { configHere, withStorage } from "./cli/database.ts";
import { Failure } from "./cli/failure.ts";
import { JSON_OPTION, withExamples } from "./cli/help.ts";
import { invocation } from "./cli/invocation.ts";
import { print, printJson } from "./cli/output.ts";
import { userOfShell } from "./cli/user.ts";
import { findOne, notFound } from "./order-lookup.ts";

interface ActOptions {
  readonly reason: string;
  readonly actor?: string;
  readonly json?: boolean;
}

/** The options of whatever is done to an order: it is recorded with who and why. */
function withRecord(command: Command): Command {
  return command
    .argument("<ref>", "its id, or anything else that names it alone")
    .requiredOption("--reason <text>", "why, for the record: 1 to 500 characters", asRecord)
    .option("--actor <name>", "who, for the record; without: the user of this shell", asRecord)
    .option(...JSON_OPTION);
}

export function defineRetry(command: Command): void {
  withRecord(command)
    .description(
      "Work an order again that stands still (blocked, exhausted or unknown): a new run of its leg, due at once. " +
        "It is recorded with who and why. Ticketing gets the same Idempotency-Key as before.",
    )
    .action(retry);
  withExamples(command, [["order retry 12 --reason 'SKU is on sale again'", "The cause is gone: try again"]]);
}

async function retry(
  ref: string,
  { reason, actor = userOfShell(), json = false }: ActOptions,
): Promise<void> {
  await withStorage(configHere(), async (storage) => {
    const id = await findOne(storage, ref);
    const retried = await storage.operatorActions.retry(id, { actor, reason }, null);
    if (retried.kind !== "retried") throw refusal(retried, id, "there is nothing to retry");
    const { leg, from, to } = retried;
    if (json) return printJson({ id, leg, from, to, actor, reason });
    print(`Order ${id}: ${leg} begins again (${from} -> ${to}), as soon as a running gateway looks.`);
    print(`\`${invocation()} order show ${id}\` tells what comes of it.`);
  });
}

export function defineCancel(command: Command): void {
  withRecord(command)
    .description(
      "End an order before it is ticketed. With an attempt in flight the cancel is requested: if that attempt " +
        "succeeds, the order is ticketed all the same. Tickets that exist are ticketing's to revoke.",
    )
    .action(cancel);
  withExamples(command, [
    ["order cancel 12 --reason 'the buyer has withdrawn'", "Keep an order from being ticketed"],
  ]);
}

async function cancel(
  ref: string,
  { reason, actor = userOfShell(), json = false }: ActOptions,
): Promise<void> {
  await withStorage(configHere(), async (storage) => {
    const id = await findOne(storage, ref);
    const cancelled = await storage.operatorActions.cancel(id, { actor, reason }, null);
    if (cancelled.kind !== "cancelled" && cancelled.kind !== "requested") {
      throw refusal(cancelled, id, "it can't be cancelled any more");
    }
    if (json) return printJson({ id, result: cancelled.kind, actor, reason });
    if (cancelled.kind === "cancelled") return print(`Order ${id} is cancelled.`);
    print(
      `Order ${id}: the cancel takes effect when the attempt in flight ends, unless that brings tickets.`,
    );
  });
}

export function defineResolve(command: Command): void {
  withRecord(command)
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
  if (options.notTicketed) return retry(ref, options);
  const { reason, actor = userOfShell(), code: tickets = [], reference = null, json = false } = options;
  if (tickets.length === 0 && reference === null) {
    throw new Failure("usage", "--ticketed needs --code or --reference: the partner is told them");
  }
  await withStorage(configHere(), async (storage) => {
    const id = await findOne(storage, ref);
    const { order, items } = await storyOf(storage, id);
    const { external_order_id: externalOrderId, trace_id: traceId } = order;
    const ticketed = ticketedOrder({ id, externalOrderId, traceId, items, reference, tickets }, Date.now());
    const marked = await storage.operatorActions.markTicketed(id, ticketed, { actor, reason }, null);
    if (marked.kind !== "ticketed") throw refusal(marked, id, "it can't be marked ticketed");
    if (json) return printJson({ id, from: marked.from, to: "ticketed", tickets, reference, actor, reason });
    print(`Order ${id} is ticketed by hand; its partner is told as soon as a running gateway looks.`);
  });
}

async function storyOf(storage: Storage, id: number) {
  const story = await storage.orders.story(id, null);
  if (story === null) throw notFound(String(id));
  return story;
}

function refusal(refused: Refused, id: number, why: string): Failure {
  if (refused.kind === "not_found") return notFound(String(id));
  return new Failure("failed", `order ${id} is ${refused.status}: ${why}`, {
    advice: `\`${invocation()} order show ${id}\` tells where it stands`,
  });
}

function asRecord(text: string): string {
  const record = text.trim();
  if (record === "" || record.length > 500 || /\p{Cc}/u.test(record)) {
    throw new InvalidArgumentError("1 to 500 characters on one line are expected.");
  }
  return record;
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
