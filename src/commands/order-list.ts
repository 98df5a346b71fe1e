import { type Command, InvalidArgumentError } from "commander";
import { summaryView } from "../http/order-view.ts";
import { isoTime, isoTimeOrNull } from "../lib/iso-time.ts";
import { toDecimal } from "../orders/currency.ts";
import type { ListedOrder } from "../storage/order-rows.ts";
import type { Storage } from "../storage/open.ts";
import { configHere, withStorage } from "./cli/database.ts";
import { fittedTable } from "./cli/fitted-table.ts";
import { JSON_OPTION, withExamples } from "./cli/help.ts";
import { type Cell, print, printJson } from "./cli/output.ts";
import { relative } from "./cli/time.ts";
import { orderFilterOf, type OrderFilterOptions, withOrderFilter } from "./order-filter-options.ts";
import { styleOfStatus } from "./order-story.ts";

interface Options extends OrderFilterOptions {
  readonly externalId?: string;
  readonly limit: number;
  readonly before?: number;
  readonly json?: boolean;
}

export function defineList(command: Command): void {
  withOrderFilter(
    command.description("List orders, newest first. Several options: those that all of them mean."),
  )
    .option("--external-id <id>", "only those with this external_order_id")
    .option("--limit <n>", "how many, 1 to 200", asLimit, 50)
    .option("--before <id>", "only those older than this order: the next page", asId)
    .option(...JSON_OPTION)
    .action(list);
  withExamples(command, [
    ["order list", "See the latest"],
    ["order list --partner demo --status ota_callback_blocked", "Which callbacks has a partner refused?"],
    [
      "order list --visit-from 2026-08-25 --visit-to 2026-08-25 --past-due",
      "Who visits that day and still waits?",
    ],
    ["order list --code 503 --since 24h --json", "What did a bad night leave behind, for a script"],
  ]);
}

async function list({ json = false, limit, before, externalId, ...options }: Options): Promise<void> {
  const filter = orderFilterOf(options);
  const { orders, next } = await withStorage(configHere(), async (storage) => {
    if (externalId === undefined) return readPage(storage, filter, before ?? null, limit);
    const ids = await storage.exportPages.idsOf("external_order_id", [externalId]);
    const meant = ids.filter((id) => filter.ids === null || filter.ids.includes(id)).slice(-MAX_SAME);
    return readPage(storage, { ...filter, ids: meant }, before ?? null, limit);
  });
  if (json) return printJson(orders.map(listedView));
  if (orders.length === 0) print("No orders.");
  else print(orderTable(orders, Date.now()));
  if (next !== null) process.stderr.write(`Older ones: --before ${next}\n`);
}

/** A page may end early where few of many match: this goes on until it is full or nothing is left. */
async function readPage(
  { orderSearch }: Storage,
  filter: Parameters<Storage["orderSearch"]["page"]>[0],
  before: number | null,
  limit: number,
): Promise<{ orders: ListedOrder[]; next: number | null }> {
  const orders: ListedOrder[] = [];
  let next = before;
  do {
    const page = await orderSearch.page(filter, next, limit - orders.length);
    orders.push(...page.orders);
    next = page.next;
  } while (next !== null && orders.length < limit);
  return { orders, next };
}

/** Orders of one external id that are looked among, the newest. */
const MAX_SAME = 1000;

/** As `GET /orders` lists it, and what an operator wants to know beside. */
export function listedView(order: ListedOrder) {
  return {
    ...summaryView(order),
    blocked_reason: order.blockedReason,
    reference: order.reference,
    updated_at: isoTime(order.updatedAt),
    visit_from: order.visitFrom,
    visit_to: order.visitTo,
    items: order.items,
    qty: order.qty,
    totals: order.totals.map(({ currency, minor }) => ({ currency, minor })),
    tickets: order.tickets,
    leg: order.leg,
    attempts: order.attempts,
    next_attempt_at: isoTimeOrNull(order.nextAttemptAt),
    held_until: isoTimeOrNull(order.heldUntil),
    last_status_code: order.code,
    last_error: order.error,
  };
}

function orderTable(orders: readonly ListedOrder[], nowMs: number): string {
  const head = [
    "ID",
    "EXTERNAL ID",
    "PARTNER",
    "STATUS",
    "ACCEPTED",
    "VISIT",
    "TOTAL",
    "TICKETS",
    "LAST",
    "NEXT",
  ];
  const rows = orders.map((order): Cell[] => [
    String(order.id),
    order.externalOrderId,
    order.partnerId,
    { text: order.status, style: styleOfStatus(order.status) },
    relative(order.createdAt, nowMs),
    visit(order),
    order.totals.map(money).join(" + "),
    String(order.tickets),
    order.error ?? String(order.code ?? ""),
    order.heldUntil !== null
      ? "held"
      : order.nextAttemptAt === null
        ? ""
        : relative(order.nextAttemptAt, nowMs),
  ]);
  return fittedTable(head, rows, { drop: ["TICKETS", "TOTAL", "NEXT", "VISIT", "PARTNER"] });
}

function visit({ visitFrom, visitTo }: ListedOrder): string {
  return visitFrom === visitTo ? (visitFrom ?? "") : `${visitFrom} to ${visitTo}`;
}

function money({ currency, minor }: ListedOrder["totals"][number]): string {
  try {
    return `${toDecimal(minor, currency)} ${currency}`;
  } catch {
    // A code without a minor unit, or more than a double holds.
    return `${minor} ${currency} (minor)`;
  }
}

export function asLimit(text: string): number {
  const limit = asId(text);
  if (limit > 200) throw new InvalidArgumentError("At most 200.");
  return limit;
}

export function asId(text: string): number {
  const id = Number(text);
  if (!/^[1-9]\d*$/.test(text) || !Number.isSafeInteger(id)) {
    throw new InvalidArgumentError("A positive whole number is expected.");
  }
  return id;
}
