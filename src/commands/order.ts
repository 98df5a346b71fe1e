import type { Command } from "commander";
import { orderView } from "../http/order-view.ts";
import { verdictOf } from "../orders/verdict-sentence.ts";
import { configHere, withStorage } from "./cli/database.ts";
import { JSON_OPTION, withExamples } from "./cli/help.ts";
import { invocation } from "./cli/invocation.ts";
import { print, printJson } from "./cli/output.ts";
import { defineExport } from "./export.ts";
import { defineCancel, defineClose, defineResend, defineResolve, defineRetry } from "./order-acts.ts";
import { defineList } from "./order-list.ts";
import { findOrders, notFound } from "./order-lookup.ts";
import { orderStory } from "./order-story.ts";

export function define(command: Command): void {
  command.description("Find orders and read their stories, in the database that DATABASE_URL names.");
  defineList(command.command("list").summary("list orders, newest first"));
  defineExport(command.command("export").summary("write orders as CSV or JSON lines"));
  defineShow(command.command("show").summary("tell the whole story of an order"));
  defineRetry(command.command("retry").summary("work an order again that stands still"));
  defineResend(command.command("resend").summary("send a delivered callback once more"));
  defineCancel(command.command("cancel").summary("end an order before it is ticketed"));
  defineClose(command.command("close").summary("close an order as handled outside"));
  defineResolve(command.command("resolve").summary("decide an order whose outcome at ticketing is unknown"));
  withExamples(command, [
    ["order show EXT-42", "What happened to the order that the partner calls EXT-42?"],
    ["order list --status ticketing_blocked", "Which orders has ticketing refused?"],
    ["order export --since 24h --output today.csv", "What came in, for a spreadsheet"],
    ["order retry 12 --reason 'SKU is on sale again'", "Work one of them again"],
  ]);
}

function defineShow(command: Command): void {
  command
    .description(
      "Tell the whole story of an order: in two sentences what happened and what comes next, then every attempt, what came " +
        "back, and what can be done.",
    )
    .argument(
      "<ref>",
      "its id, the partner's external order id, the trace id, ticketing's reference or a ticket's code",
    )
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
