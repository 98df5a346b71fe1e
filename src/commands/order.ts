import { type Command, InvalidArgumentError, Option } from "commander";
import { orderView, summaryView } from "../http/order-view.ts";
import { ORDER_STATUSES, type OrderStatus } from "../orders/states.ts";
import { verdictOf } from "../orders/verdict-sentence.ts";
import { configHere, withStorage } from "./cli/database.ts";
import { JSON_OPTION, withExamples } from "./cli/help.ts";
import { invocation } from "./cli/invocation.ts";
import { print, printJson, table } from "./cli/output.ts";
import { relative } from "./cli/time.ts";
import { defineCancel, defineResolve, defineRetry } from "./order-acts.ts";
import { findOrders, notFound } from "./order-lookup.ts";
import { orderStory, styleOfStatus } from "./order-story.ts";

export function define(command: Command): void {
  command.description("Find orders and read their stories, in the database that DATABASE_URL names.");
  defineList(command.command("list").summary("list orders, newest first"));
  defineShow(command.command("show").summary("tell the whole story of an order"));
  defineRetry(command.command("retry").summary("work an order again that stands still"));
  defineCancel(command.command("cancel").summary("end an order before it is ticketed"));
  defineResolve(command.command("resolve").summary("decide an order whose outcome at ticketing is unknown"));
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
    .description(
      "Tell the whole story of an order: in two sentences what happened and what comes next, then every attempt, what came " +
        "back, and what can be done.",
    )
    .argument("<ref>", "its id, the partner's external order id, or the trace id")
    .option(...JSON_OPTION)
    .action(show);
  withExamples(command, [
    ["order show EXT-42", "By the partner's id; of several the newest"],
    ["order show 12 --json", "By our id, as GET /orders/12 shows it to an operator, with the verdict"],
  ]);
}

async function show(ref: string, { json = false }: { json?: boolean }): Promise<void> {
  const config = configHere();
  await withStorage(config, async (storage) => {
    const [id, ...others] = await findOrders(storage, ref);
    const story = await storage.orders.story(id, null);
    if (story === null) throw notFound(ref);
    const context = {
      ...(await storage.orders.circumstances(story.order.partner_id)),
      nowMs: Date.now(),
      attemptsPerRun: config.retry.offsetsMs.length,
      others,
      command: invocation(),
    };
    if (json) return printJson({ verdict: verdictOf(story, context), ...orderView(story, "operator") });
    print(orderStory(story, context));
  });
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
