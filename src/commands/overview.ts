import { type Command, InvalidArgumentError } from "commander";
import { type OverviewView, overviewView, todayAndTomorrow } from "../http/overview-view.ts";
import { configHere, withStorage } from "./cli/database.ts";
import { fittedTable } from "./cli/fitted-table.ts";
import { JSON_OPTION, withExamples } from "./cli/help.ts";
import { invocation } from "./cli/invocation.ts";
import { brief, type Cell, paint, plain, print, printJson, table } from "./cli/output.ts";
import { relative, span } from "./cli/time.ts";

interface OverviewOptions {
  readonly hours: number;
  readonly json?: boolean;
}

const MAX_HOURS = 48;
const MAX_REASON_CHARS = 200;

export function define(command: Command): void {
  command
    .description(
      "Show how the gateway fares: orders by the hour, latency, health of ticketing and partners, and visits of today and " +
        "tomorrow (by VENUE_TIMEZONE) that have no tickets yet. STOOD STILL: came to stand in that hour, and still does.",
    )
    .option("--hours <n>", `how many hours back, 1 to ${MAX_HOURS}`, asHours, 12)
    .option(...JSON_OPTION)
    .action(overview);
  withExamples(command, [
    ["overview", "Is all well?"],
    ["overview --hours 48 --json", "As GET /admin/overview tells it"],
  ]);
}

async function overview({ hours, json = false }: OverviewOptions): Promise<void> {
  const config = configHere();
  const nowMs = Date.now();
  const { venueTimeZone } = config;
  const told = await withStorage(config, (storage) =>
    storage.overview(hours, todayAndTomorrow(nowMs, venueTimeZone), nowMs),
  );
  const view = overviewView(told, nowMs, venueTimeZone);
  if (json) return printJson(view);
  const parts = [heldOf(view), hoursOf(view), healthOf(view, nowMs), oldestOf(view, nowMs), visitsOf(view)];
  print(parts.filter((part) => part !== "").join("\n\n"));
  if (view.at_least) print("\nA backlog is so long that not all of it was counted.");
}

function heldOf({ held }: OverviewView): string {
  if (held === null) return "";
  const who = `Held since ${held.since} by ${plain(held.by)}: ${brief(held.reason, MAX_REASON_CHARS)}`;
  return `${paint("red", who)}\nOrders are accepted and wait; \`${invocation()} release\` lets the gateway work again.`;
}

function hoursOf({ hours }: OverviewView): string {
  const rows = hours.map(({ from, accepted, ticketed, delivered, blocked }) => [
    `${from.slice(0, 10)} ${from.slice(11, 16)}`,
    ...[accepted, ticketed, delivered].map(String),
    bad(blocked),
  ]);
  return table(["HOUR (UTC)", "ACCEPTED", "TICKETED", "DELIVERED", "STOOD STILL"], rows);
}

function healthOf(view: OverviewView, nowMs: number): string {
  const { ticketing, latency, partners } = view;
  const row = (name: string, health: OverviewView["ticketing"], times: string): Cell[] => [
    name,
    health.open_since === null
      ? { text: "closed", style: "green" }
      : {
          text: `opened ${relative(Date.parse(health.open_since), nowMs)}: ${health.reason}`,
          style: "red",
        },
    String(health.failures_last_hour),
    String(health.waiting),
    bad(health.standing),
    times,
  ];
  const rows = [
    row("ticketing", ticketing, latencyOf(latency.ticketing)),
    ...partners.map(({ id, disabled_at, callbacks }) =>
      row(`callbacks of ${id}${disabled_at === null ? "" : " (disabled)"}`, callbacks, ""),
    ),
  ];
  const head = ["TARGET", "CIRCUIT", "FAILED IN 1 H", "WAITING", "STAND STILL", "LATENCY"];
  const health = fittedTable(head, rows, { cut: "CIRCUIT", drop: ["LATENCY", "WAITING"] });
  return `${health}\ncallbacks of all: ${latencyOf(latency.callback) || "no attempts yet"}`;
}

function latencyOf({ p50_ms: p50, p95_ms: p95 }: OverviewView["latency"]["ticketing"]): string {
  return p50 === null || p95 === null ? "" : `half within ${span(p50)}, 95 % within ${span(p95)}`;
}

function oldestOf(
  { oldest_not_ticketed: { in_work: inWork, standing } }: OverviewView,
  nowMs: number,
): string {
  const lines = [["on its way", inWork] as const, ["standing still", standing] as const].flatMap(
    ([how, order]) =>
      order === null
        ? []
        : [
            `Oldest without tickets, ${how}: order ${order.id}, ${relative(Date.parse(order.created_at), nowMs)} (${order.status})`,
          ],
  );
  return lines.join("\n");
}

function visitsOf({ visits, time_zone: timeZone }: OverviewView): string {
  const lines = visits.map(({ date, not_ticketed: count, orders }, day) => {
    const when = `Visits ${day === 0 ? "today" : "tomorrow"}, ${date} (${timeZone})`;
    if (count === 0) return `${when}: all ticketed`;
    const ids = orders.map(({ id }) => id).join(", ");
    return paint(
      "red",
      `${when}: ${count} ${count === 1 ? "order has" : "orders have"} no tickets: ${ids}${count > orders.length ? ", ..." : ""}`,
    );
  });
  return lines.join("\n");
}

function bad(count: number): Cell {
  return count === 0 ? "0" : { text: String(count), style: "red" };
}

function asHours(text: string): number {
  const hours = Number(text);
  if (!/^[1-9]\d?$/.test(text) || hours > MAX_HOURS) throw new InvalidArgumentError(`1 to ${MAX_HOURS}.`);
  return hours;
}
