import { type Command, InvalidArgumentError } from "commander";
import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "../lib/clock.ts";
import { isoTime } from "../lib/iso-time.ts";
import type { OrderFilter } from "../orders/order-filter.ts";
import { watchOrders } from "../pipeline/order-watch.ts";
import type { Changes } from "../storage/changes.ts";
import type { ListedOrder } from "../storage/order-rows.ts";
import type { OrderSearch } from "../storage/order-search.ts";
import { configHere, withStorage } from "./cli/database.ts";
import { reasonOf } from "./cli/failure.ts";
import { withExamples } from "./cli/help.ts";
import { paint, plain, print, toJson } from "./cli/output.ts";
import { askedToStop } from "./cli/signals.ts";
import { relative } from "./cli/time.ts";
import { orderFilterOf, type OrderFilterOptions, withOrderFilter } from "./order-filter-options.ts";
import { listedView } from "./order-list.ts";
import { styleOfStatus } from "./order-story.ts";

interface Options extends OrderFilterOptions {
  readonly last: number;
  readonly json?: boolean;
}

const POLL_MS = 1000;
const AFTER_FAILURE_MS = 3000;
/** Orders that a name may stand for, and that are listed at a time. */
const MAX_NAMED = 1000;

export function define(command: Command): void {
  withOrderFilter(
    command.description(
      "Follow orders live: each that comes, and each change of one. It looks into the database once a second, beside " +
        "whoever serves it. Ctrl-C ends it.",
    ),
  )
    .option("--last <n>", "begin with so many of the newest, 0 to 100", asLast, 10)
    .option("--json", "an order per line, as `order list --json` has it")
    .action(tail);
  withExamples(
    command,
    [
      ["tail", "Watch the gateway work"],
      ["tail --status ticketing_blocked --status ticketing_exhausted", "Hear of what needs somebody"],
      ["tail --partner demo --json --last 0", "What happens to a partner's orders, for a program"],
    ],
    "Steps that follow each other within a second may show as one.",
  );
}

async function tail({ json = false, last, ...options }: Options): Promise<void> {
  const filter = orderFilterOf(options);
  const stop = new AbortController();
  void askedToStop().then(() => stop.abort());
  await withStorage(configHere(), async ({ changes, orderSearch }) => {
    const show = (order: ListedOrder) =>
      print(json ? toJson(listedView(order), 0) : lineOf(order, Date.now()));
    // First, so that nothing is missed between what is shown now and the first look.
    const look = await createLook(changes, orderSearch, filter);
    const { orders } = last === 0 ? { orders: [] } : await orderSearch.page(filter, null, last);
    for (const order of orders.toReversed()) show(order);
    while (!stop.signal.aborted) {
      const pauseMs = await look(show).then(
        () => POLL_MS,
        (error: unknown) => {
          process.stderr.write(`the database gave no answer, trying again: ${plain(reasonOf(error))}\n`);
          return AFTER_FAILURE_MS;
        },
      );
      await sleep(pauseMs, undefined, { signal: stop.signal }).catch(() => {});
    }
  });
}

/** One look after the other: shows each order of the filter that has come or changed since the look before. */
async function createLook(changes: Changes, orderSearch: OrderSearch, filter: OrderFilter) {
  // What has a name of its own is looked up by it each time; anything else is told by what moves.
  const isNamed = filter.q !== null || filter.ids !== null || filter.errorGroup !== null;
  const named = isNamed ? () => orderSearch.ids(filter, 0, MAX_NAMED) : undefined;
  const look = await watchOrders({ changes, clock: systemClock, named });
  return async (show: (order: ListedOrder) => void): Promise<void> => {
    const ids = (await look()).orders.map(({ id }) => id);
    for (let at = 0; at < ids.length; at += MAX_NAMED) {
      const some = { ...filter, q: null, errorGroup: null, ids: ids.slice(at, at + MAX_NAMED) };
      for (let cursor: number | null = null, isFirst = true; isFirst || cursor !== null; isFirst = false) {
        const page = await orderSearch.page(some, cursor, MAX_NAMED);
        for (const order of page.orders.toReversed()) show(order);
        cursor = page.next;
      }
    }
  };
}

function lineOf(order: ListedOrder, nowMs: number): string {
  const { id, externalOrderId, partnerId, status, leg, attempts, code, error, nextAttemptAt, heldUntil } =
    order;
  const result = [code, error].filter((each) => each !== null).join(" ");
  const parts = [
    `${isoTime(order.updatedAt).slice(11, 19)}Z`,
    `#${id}`,
    plain(externalOrderId),
    partnerId,
    paint(styleOfStatus(status), status),
    attempts[leg] > 0 ? `${leg} attempt ${attempts[leg]}${result === "" ? "" : `: ${result}`}` : "",
    heldUntil === null ? "" : "held by a circuit",
    heldUntil === null && nextAttemptAt !== null && nextAttemptAt > nowMs
      ? `next ${relative(nextAttemptAt, nowMs)}`
      : "",
  ];
  return parts.filter((part) => part !== "").join("  ");
}

function asLast(text: string): number {
  if (!/^\d{1,3}$/.test(text) || Number(text) > 100)
    throw new InvalidArgumentError("A whole number from 0 to 100.");
  return Number(text);
}
