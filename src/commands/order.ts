import { userInfo } from "node:os";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { Config } from "../config.ts";
import { orderView, summaryView } from "../http/order-view.ts";
import { ORDER_STATUSES, type OrderStatus } from "../orders/states.ts";
import type { Storage } from "../storage/open.ts";
import type { Refused } from "../storage/operator-actions.ts";
import { configHere, withStorage } from "./cli/database.ts";
import { Failure } from "./cli/failure.ts";
import { JSON_OPTION, withExamples } from "./cli/help.ts";
import { invocation } from "./cli/invocation.ts";
import { plain, print, printJson, table } from "./cli/output.ts";
import { relative } from "./cli/time.ts";
import { orderStory, styleOfStatus } from "./order-story.ts";

export function define(command: Command): void {
  command.description("Find orders and read their stories, in the database that DATABASE_URL names.");
  defineList(command.command("list").summary("list orders, newest first"));
  defineShow(command.command("show").summary("tell the whole story of an order"));
  defineRetry(command.command("retry").summary("work an order again that stands still"));
  defineCancel(command.command("cancel").summary("end an order before it is ticketed"));
  withExamples(command, [
    ["order show EXT-42", "What happened to the order that the partner calls EXT-42?"],
    ["order list --status ticketing_blocked", "Which orders has ticketing refused?"],
    ["order retry 12 --reason 'SKU is on sale again'", "Work one of them again"],
  ]);
}

interface ListOptions {
  readonly status?: OrderStatus;
  readonly partner?: string;
  readonly externalId?: string;
  readonly limit: number;
  readonly before?: number;
  readonly json?: boolean;
}

function defineList(command: Command): void {
  command
    .description("List orders, newest first.")
    .addOption(new Option("--status <status>", "only those that stand so").choices(ORDER_STATUSES))
    .option("--partner <id>", "only this partner's")
    .option("--external-id <id>", "only those with this external_order_id")
    .option("--limit <n>", "how many, 1 to 200", asLimit, 50)
    .option("--before <id>", "only those older than this order: the next page", asId)
    .option(...JSON_OPTION)
    .action(list);
  withExamples(command, [
    ["order list", "See the latest"],
    ["order list --partner demo --status ota_callback_blocked", "Which callbacks has a partner refused?"],
  ]);
}

async function list({ json = false, limit, ...filter }: ListOptions): Promise<void> {
  const orders = await withStorage(configHere(), (storage) =>
    storage.orders.list({
      partnerId: filter.partner ?? null,
      status: filter.status ?? null,
      externalOrderId: filter.externalId ?? null,
      before: filter.before ?? null,
      limit,
    }),
  );
  if (json) return printJson(orders.map(summaryView));
  if (orders.length === 0) return print("No orders.");
  const nowMs = Date.now();
  const rows = orders.map((order) => [
    String(order.id),
    order.externalOrderId,
    order.partnerId,
    { text: order.status, style: styleOfStatus(order.status) },
    relative(order.createdAt, nowMs),
    order.traceId,
  ]);
  print(table(["ID", "EXTERNAL ID", "PARTNER", "STATUS", "ACCEPTED", "TRACE ID"], rows));
  const last = orders.at(-1);
  if (orders.length === limit && last) process.stderr.write(`Older ones: --before ${last.id}\n`);
}

function defineShow(command: Command): void {
  command
    .description("Tell the whole story of an order: every attempt, what came back, and what to do next.")
    .argument("<ref>", "its id, the partner's external order id, or the trace id")
    .option(...JSON_OPTION)
    .action(show);
  withExamples(command, [
    ["order show EXT-42", "By the partner's id; of several the newest"],
    ["order show 12 --json", "By our id, as GET /orders/12 shows it to an operator"],
  ]);
}

async function show(ref: string, { json = false }: { json?: boolean }): Promise<void> {
  const config = configHere();
  await withStorage(config, async (storage) => {
    const [id, ...others] = await findOrders(storage, ref);
    const story = await storage.orders.story(id, null);
    if (story === null) throw notFound(ref);
    if (json) return printJson(orderView(story, "operator"));
    print(orderStory(story, contextOf(config, others)));
  });
}

function contextOf(config: Config, others: readonly number[]) {
  return { nowMs: Date.now(), attemptsPerRun: config.retry.offsetsMs.length, others, command: invocation() };
}

/** Newest first. @throws {@link Failure} when there is none */
async function findOrders(storage: Storage, ref: string): Promise<[number, ...number[]]> {
  const [newest, ...others] = await storage.orders.find(ref.replace(/^#/, ""));
  if (newest === undefined) throw notFound(ref);
  return [newest, ...others];
}

function notFound(ref: string): Failure {
  return new Failure("not_found", `no order has the id, external order id or trace id ${plain(ref)}`, {
    advice: `\`${invocation()} order list\` shows the latest; DATABASE_URL says in which database`,
  });
}

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

function defineRetry(command: Command): void {
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

function defineCancel(command: Command): void {
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

/** @throws {@link Failure} unless exactly one order is meant: nothing is done by guess */
async function findOne(storage: Storage, ref: string): Promise<number> {
  const [id, ...others] = await findOrders(storage, ref);
  if (others.length === 0) return id;
  throw new Failure("usage", `${plain(ref)} names several orders: ${[id, ...others].join(", ")}`, {
    advice: "say which by its id",
  });
}

function refusal(refused: Refused, id: number, why: string): Failure {
  if (refused.kind === "not_found") return notFound(String(id));
  return new Failure("failed", `order ${id} is ${refused.status}: ${why}`, {
    advice: `\`${invocation()} order show ${id}\` tells where it stands`,
  });
}

function userOfShell(): string {
  if (process.env["SUDO_USER"]) return process.env["SUDO_USER"];
  try {
    return userInfo().username;
  } catch {
    // A container's user need not have a name.
    return `uid ${process.getuid?.() ?? "unknown"}`;
  }
}

function asLimit(text: string): number {
  const limit = asId(text);
  if (limit > 200) throw new InvalidArgumentError("At most 200.");
  return limit;
}

function asId(text: string): number {
  const id = Number(text);
  if (!/^[1-9]\d*$/.test(text) || !Number.isSafeInteger(id)) {
    throw new InvalidArgumentError("A positive whole number is expected.");
  }
  return id;
}

function asRecord(text: string): string {
  const record = text.trim();
  if (record === "" || record.length > 500 || /\p{Cc}/u.test(record)) {
    throw new InvalidArgumentError("1 to 500 characters on one line are expected.");
  }
  return record;
}
