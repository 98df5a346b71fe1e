import { isoTime } from "../lib/iso-time.ts";
import type { OrderItem } from "../orders/order-input.ts";
import { type Moment, timelineOf } from "../orders/order-timeline.ts";
import type { OrderStatus } from "../orders/states.ts";
import { type Verdict, verdictOf } from "../orders/verdict-sentence.ts";
import type { Circumstances, OrderStory } from "../storage/order-queries.ts";
import { brief, type Cell, paint, plain, type Style, table } from "./cli/output.ts";
import { relative, span } from "./cli/time.ts";

export interface StoryContext extends Circumstances {
  readonly nowMs: number;
  readonly attemptsPerRun: number;
  /** Ids of the other orders that the reference may have meant. */
  readonly others: readonly number[];
  /** How the command line is called, for advice. */
  readonly command: string;
}

const ANSWER_CHARS = 160;
/** Below what happened, past the time. */
const ANSWER_INDENT = 28;
const MAX_TICKETS_SHOWN = 50;

export function styleOfStatus(status: OrderStatus): Style {
  if (status === "ota_callback_delivered") return "green";
  if (/blocked|exhausted|unknown/.test(status)) return "red";
  return status === "cancelled" || status === "closed" ? "dim" : "yellow";
}

/** All that is known of an order, told to a person: the verdict first. */
export function orderStory(story: OrderStory, context: StoryContext): string {
  const verdict = verdictOf(story, context);
  const parts = [
    verdictPart(story, verdict),
    headOf(story, context),
    `Items (prices in minor units)\n${itemsOf(story.items)}`,
    `Timeline (UTC)\n${timeline(story, context)}`,
    ticketsOf(story.tickets),
    actionsOf(verdict, context),
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}

function verdictPart({ order }: OrderStory, { happened, next }: Verdict): string {
  const { id, pipeline_status: status } = order;
  const title = `${paint("bold", `Order ${id}`)}  ${paint(styleOfStatus(status), status)}`;
  return [title, plain(happened), `Next: ${plain(next.charAt(0).toLowerCase() + next.slice(1))}`].join("\n");
}

function headOf({ order, sameExternalId: sameId }: OrderStory, context: StoryContext): string {
  const { nowMs, partner } = context;
  const others = context.others.filter((id) => !sameId.includes(id));
  const time = (at: number | null) => (at === null ? null : `${isoTime(at)} (${relative(at, nowMs)})`);
  const disabledAt = partner?.disabled_at ?? null;
  const rows: (readonly [string, string | null])[] = [
    ["External id", order.external_order_id],
    ["Partner", disabledAt === null ? order.partner_id : `${order.partner_id} (disabled)`],
    ["Trace id", order.trace_id],
    ["Buyer", buyerOf(order)],
    ["Accepted", time(order.created_at)],
    ["Ticketed", time(order.ticketed_at)],
    ["Delivered", time(order.delivered_at)],
    ["Reference", order.reference],
    ["Callback to", order.callback_url],
    ["Reason", order.blocked_reason],
    ["Same external id", sameId.length > 0 ? `also ${ordersNamed(sameId)}` : null],
    ["Also meant", others.length > 0 ? `${ordersNamed(others)}; this is the newest` : null],
  ];
  const told = rows.flatMap(([name, value]) =>
    value === null ? [] : [[{ text: name, style: "dim" }, value] as Cell[]],
  );
  return table(["", ""], told, "  ");
}

function ordersNamed(ids: readonly number[]): string {
  return `${ids.length === 1 ? "order" : "orders"} ${ids.join(", ")}`;
}

/** A name, if the partner gave one where one would look for it. */
function buyerOf({ raw_payload: rawPayload, buyer_blanked_at: at }: OrderStory["order"]): string | null {
  if (at !== null) return `blanked on ${isoTime(at).slice(0, 10)}`;
  try {
    const { buyer } = JSON.parse(rawPayload) as { buyer?: { name?: unknown } };
    return typeof buyer?.name === "string" ? brief(buyer.name, 80) : null;
  } catch {
    return null;
  }
}

function itemsOf(items: readonly OrderItem[]): string {
  const rows = items.map((item) => [
    String(item.qty),
    item.sku,
    String(item.unit_price_minor),
    // Beyond 2^53 for the largest orders.
    String(BigInt(item.unit_price_minor) * BigInt(item.qty)),
    item.currency,
    [item.visit_date, item.visit_time].filter(Boolean).join(" "),
  ]);
  return table(["QTY", "SKU", "EACH", "TOTAL", "CURRENCY", "VISIT"], rows, "  ");
}

function timeline(story: OrderStory, { circuits }: StoryContext): string {
  const moments = timelineOf(story, circuits);
  const rows = moments.map((moment) => [
    { text: isoTime(moment.at), style: "dim" } as const,
    sinceStart(moment.at - story.order.created_at),
    subjectOf(moment),
    resultOf(moment),
    moment.durationMs === null ? "" : span(moment.durationMs),
    noteOf(moment, story),
  ]);
  const [head = "", ...lines] = table(
    ["TIME", "SINCE START", "WHAT", "RESULT", "TOOK", ""],
    rows,
    "  ",
  ).split("\n");
  const withAnswers = moments.flatMap(({ answer }, index) => {
    const line = lines[index] ?? "";
    const first = firstLine(answer);
    return first === "" ? [line] : [line, " ".repeat(ANSWER_INDENT) + paint("dim", `answer: ${first}`)];
  });
  return [head, ...withAnswers].join("\n");
}

function sinceStart(ms: number): string {
  if (ms < 0) return `-${span(-ms)}`;
  return ms < 60_000 ? `+${(ms / 1000).toFixed(3)} s` : `+${span(ms)}`;
}

function subjectOf({ what, leg, event, no }: Moment): string {
  if (what === "action") return "operator";
  if (what === "circuit_opened" || what === "circuit_closed") return `${leg} circuit`;
  if (what !== "attempt" && what !== "late_result") return "order";
  const name = event === null || event === "order.ticketed" ? leg : event;
  return `${name} ${no}${what === "late_result" ? " late" : ""}`;
}

const RESULTS: Partial<Record<Moment["what"], Cell>> = {
  received: "accepted",
  ticketed: { text: "ticketed", style: "green" },
  delivered: { text: "delivered", style: "green" },
  circuit_opened: { text: "opened", style: "red" },
  circuit_closed: { text: "closed", style: "green" },
};

function resultOf({ what, event, action, code, error }: Moment): Cell {
  if (what === "action") return { text: action ?? "", style: "magenta" };
  if (what === "event") return event ?? "";
  const known = RESULTS[what];
  if (known !== undefined) return known;
  const text = [code, error].filter((each) => each !== null).join(" ") || "no answer";
  return { text, style: error === null && code !== null && code < 300 ? "green" : "red" };
}

function noteOf({ what, note, actor }: Moment, { tickets, order }: OrderStory): string {
  if (what === "action") return `${actor}: ${note}`;
  if (what === "ticketed") {
    const count = `${tickets.length} ${tickets.length === 1 ? "ticket" : "tickets"}`;
    return order.reference === null ? count : `${count}, reference ${order.reference}`;
  }
  if (what === "circuit_opened") return `orders are held back: ${note ?? "its target failed for many"}`;
  if (what === "late_result") return "a result that came after its claim had ended";
  return note === null ? "" : brief(note, ANSWER_CHARS);
}

function firstLine(answer: string | null): string {
  const line = answer?.split("\n").find((each) => each.trim() !== "") ?? "";
  return brief(line, ANSWER_CHARS);
}

function ticketsOf(tickets: OrderStory["tickets"]): string {
  if (tickets.length === 0) return "";
  const shown = tickets.slice(0, MAX_TICKETS_SHOWN).map((ticket, index) => {
    const text = typeof ticket === "string" ? ticket : JSON.stringify(ticket);
    return `  ${index + 1}. ${brief(text, ANSWER_CHARS)}`;
  });
  const rest = tickets.length - shown.length;
  return ["Tickets", ...shown, ...(rest > 0 ? [`  ... and ${rest} more: --json shows all`] : [])].join("\n");
}

function actionsOf({ actions }: Verdict, { command }: StoryContext): string {
  if (actions.length === 0) return "";
  const lines = actions.map(
    (action) => `  ${action.advice}:\n    ${paint("bold", `${command} ${action.command}`)}`,
  );
  return ["What you can do", ...lines].join("\n");
}
