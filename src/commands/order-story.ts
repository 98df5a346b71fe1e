import { type OrderView, orderView } from "../http/order-view.ts";
import { isoTime } from "../lib/iso-time.ts";
import type { OrderItem } from "../orders/order-input.ts";
import type { Leg, OrderStatus } from "../orders/states.ts";
import type { OrderStory } from "../storage/order-queries.ts";
import { brief, type Cell, paint, plain, type Style, table } from "./cli/output.ts";
import { relative, span } from "./cli/time.ts";

export interface StoryContext {
  readonly nowMs: number;
  readonly attemptsPerRun: number;
  /** Ids of the other orders that the reference may have meant. */
  readonly others: readonly number[];
  /** How the command line is called, for advice. */
  readonly command: string;
}

type Job = NonNullable<OrderView["ticketing_job"]>;
type Attempt = Job["attempts"][number];

const ANSWER_CHARS = 160;
/** Below what happened, past the time. */
const ANSWER_INDENT = 28;
const MAX_TICKETS_SHOWN = 50;

/** What a status means, for somebody who has never seen it. */
const MEANING: Record<OrderStatus, string> = {
  accepted: "Stored for good; ticketing has not been asked yet.",
  ticketing_processing: "Ticketing is being asked for the tickets.",
  ticketed: "Ticketing has issued the tickets; the partner has not been told yet.",
  ticketing_blocked: "Ticketing refused the order, and asking again by itself would not help.",
  ticketing_exhausted: "Ticketing could not be reached, or failed, on every attempt of the schedule.",
  ticketing_unknown: "Nobody knows whether ticketing has issued tickets: an attempt has no whole answer.",
  ota_callback_pending: "The tickets are issued; the partner is being told.",
  ota_callback_delivered: "The tickets are issued and the partner has been told. Nothing is left to do.",
  ota_callback_blocked: "The tickets are issued, but the partner refused to be told.",
  ota_callback_exhausted:
    "The tickets are issued, but the partner could not be told on any attempt of the schedule.",
  cancelled: "Cancelled by an operator.",
  closed: "Closed by an operator.",
};

/** In place of the meaning, for an order that is ticketed by word alone: a login page with a 200, say. */
const TICKETLESS = "Ticketing reported success, but without tickets or a reference.";

function isTicketless({ ticketed_at, tickets, reference }: OrderView): boolean {
  return ticketed_at !== null && tickets.length === 0 && reference === null;
}

export function styleOfStatus(status: OrderStatus): Style {
  if (status === "ota_callback_delivered") return "green";
  if (/blocked|exhausted|unknown/.test(status)) return "red";
  return status === "cancelled" || status === "closed" ? "dim" : "yellow";
}

/** All that is known of an order, told to a person. */
export function orderStory(story: OrderStory, context: StoryContext): string {
  const view = orderView(story, "operator");
  const parts = [
    headOf(view, story, context),
    `Items (prices in minor units)\n${itemsOf(view.items)}`,
    `Timeline (UTC)\n${timelineOf(view)}`,
    ticketsOf(view),
    nextSteps(view, context),
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}

function headOf(view: OrderView, story: OrderStory, context: StoryContext): string {
  const { nowMs } = context;
  const { status, same_external_id: sameId } = view;
  const others = context.others.filter((id) => !sameId.includes(id));
  const time = (at: string) => `${at} (${relative(Date.parse(at), nowMs)})`;
  const rows: (readonly [string, string | null])[] = [
    ["External id", view.external_order_id],
    ["Partner", view.partner_id],
    ["Trace id", view.trace_id],
    ["Buyer", buyerOf(story.order)],
    ["Accepted", time(view.created_at)],
    ["Ticketed", view.ticketed_at && time(view.ticketed_at)],
    ["Delivered", view.delivered_at && time(view.delivered_at)],
    ["Reference", view.reference],
    ["Callback to", view.callback_url],
    ["Reason", view.blocked_reason],
    ["Same external id", sameId.length > 0 ? `also ${ordersNamed(sameId)}` : null],
    ["Also meant", others.length > 0 ? `${ordersNamed(others)}; this is the newest` : null],
  ];
  const told = rows.flatMap(([name, value]) =>
    value === null ? [] : [[{ text: name, style: "dim" }, value] as Cell[]],
  );
  const title = `${paint("bold", `Order ${view.id}`)}  ${paint(styleOfStatus(status), status)}`;
  const meaning = isTicketless(view) ? TICKETLESS : MEANING[status];
  return `${title}\n${meaning}\n\n${table(["", ""], told, "  ")}`;
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

interface Moment {
  readonly at: number;
  readonly what: string;
  readonly result: Cell;
  readonly took: string;
  readonly note: string;
  /** How the answer began. */
  readonly answer: string;
}

function timelineOf(view: OrderView): string {
  const start = Date.parse(view.created_at);
  const moments: Moment[] = [
    moment(view.created_at, "order", "accepted"),
    ...jobMoments("ticketing", view.ticketing_job),
    ...(view.ticketed_at === null
      ? []
      : [moment(view.ticketed_at, "order", { text: "ticketed", style: "green" }, ticketCount(view))]),
    ...jobMoments("callback", view.ota_callback_job),
    ...(view.delivered_at === null
      ? []
      : [moment(view.delivered_at, "order", { text: "delivered", style: "green" })]),
    ...(view.actions ?? []).map(({ at, actor, action, reason }) =>
      moment(at, "operator", { text: action, style: "magenta" }, `${actor}: ${reason}`),
    ),
  ].sort((one, other) => one.at - other.at);
  const rows = moments.map(({ at, what, result, took, note }) => [
    { text: new Date(at).toISOString(), style: "dim" } as const,
    sinceStart(at - start),
    what,
    result,
    took,
    note,
  ]);
  const [head = "", ...lines] = table(
    ["TIME", "SINCE START", "WHAT", "RESULT", "TOOK", ""],
    rows,
    "  ",
  ).split("\n");
  const withAnswers = moments.flatMap(({ answer }, index) => {
    const line = lines[index] ?? "";
    return answer === "" ? [line] : [line, " ".repeat(ANSWER_INDENT) + paint("dim", `answer: ${answer}`)];
  });
  return [head, ...withAnswers].join("\n");
}

function sinceStart(ms: number): string {
  return ms < 60_000 ? `+${(Math.max(0, ms) / 1000).toFixed(3)} s` : `+${span(ms)}`;
}

function moment(at: string, what: string, result: Cell, note = "", took = "", answer = ""): Moment {
  return { at: Date.parse(at), what, result, took, note, answer };
}

function jobMoments(leg: Leg, job: Job | null): Moment[] {
  if (job === null) return [];
  return [
    ...job.attempts.map((attempt) =>
      moment(
        attempt.at,
        `${leg} ${attempt.no}`,
        resultOf(attempt),
        attempt.note === null ? "" : brief(attempt.note, ANSWER_CHARS),
        attempt.duration_ms === null ? "" : span(attempt.duration_ms),
        firstLine(attempt.answer),
      ),
    ),
    ...job.late.map((late) =>
      moment(
        late.recorded_at,
        `${leg} ${late.no} late`,
        resultOf(late),
        "a result that came after its claim had ended",
        "",
        firstLine(late.answer),
      ),
    ),
  ];
}

function resultOf({ code, error }: Pick<Attempt, "code" | "error">): Cell {
  const text = [code, error].filter((each) => each !== null).join(" ") || "no answer";
  const good = error === null && code !== null && code < 300;
  return { text, style: good ? "green" : "red" };
}

function firstLine(answer: string | null | undefined): string {
  const line = answer?.split("\n").find((each) => each.trim() !== "") ?? "";
  return brief(line, ANSWER_CHARS);
}

function ticketCount({ tickets, reference }: OrderView): string {
  const count = `${tickets.length} ${tickets.length === 1 ? "ticket" : "tickets"}`;
  return reference === null ? count : `${count}, reference ${reference}`;
}

function ticketsOf({ tickets }: OrderView): string {
  if (tickets.length === 0) return "";
  const shown = tickets.slice(0, MAX_TICKETS_SHOWN).map((ticket, index) => {
    const text = typeof ticket === "string" ? ticket : JSON.stringify(ticket);
    return `  ${index + 1}. ${brief(text, ANSWER_CHARS)}`;
  });
  const rest = tickets.length - shown.length;
  return ["Tickets", ...shown, ...(rest > 0 ? [`  ... and ${rest} more: --json shows all`] : [])].join("\n");
}

function nextSteps(view: OrderView, context: StoryContext): string {
  const steps = [waiting(view, context), ...advice(view, context)].filter((step) => step !== "");
  return steps.length === 0 ? "" : `Next\n${steps.map((step) => `  ${step}`).join("\n")}`;
}

/** The attempt that is due or under way. */
function waiting(view: OrderView, { nowMs, attemptsPerRun }: StoryContext): string {
  const leg: Leg = view.ota_callback_job === null ? "ticketing" : "callback";
  const job = view.ota_callback_job ?? view.ticketing_job;
  const no = (job?.attempts.length ?? 0) + 1;
  if (job?.held_until) {
    return `Held, as ${leg} fails for many orders; it goes on when ${leg} works again, until ${job.held_until}.`;
  }
  if (job?.status === "running") return `Attempt ${no} of ${leg} is under way.`;
  if (job?.status !== "pending" || job.next_attempt_at === null) return "";
  const due = Date.parse(job.next_attempt_at);
  const when = due > nowMs ? relative(due, nowMs) : "due now; a running gateway makes it";
  return `Attempt ${no} of ${leg}: ${when} (a run has at most ${attemptsPerRun}).`;
}

/** What a person can do: about an order that stands still, or has nothing to show for its success. */
function advice(view: OrderView, { command }: StoryContext): string[] {
  const act = (verb: string, more = "") => `${command} order ${verb} ${view.id}${more} --reason '...'`;
  const orCancel = `Or end it: ${act("cancel")}`;
  const callAgain = [`When ${plain(view.callback_url)} takes callbacks again: ${act("retry")}`];
  const steps: Partial<Record<OrderStatus, readonly string[]>> = {
    ticketing_blocked:
      view.ticketing_job?.last_error === "too_large"
        ? [`Get the tickets' codes from ticketing: ${act("resolve", " --ticketed --code ...")}`]
        : [`When the cause is gone, work it again: ${act("retry")}`, orCancel],
    ticketing_exhausted: [`When ticketing is well again, begin a new run: ${act("retry")}`, orCancel],
    ticketing_unknown: [
      "Ask ticketing whether it knows the trace id, then say what it said:",
      `  ${act("resolve", " --ticketed --code ...")}`,
      `  ${act("resolve", " --not-ticketed")}`,
      `Or, if it honours the Idempotency-Key, try again: ${act("retry")}`,
    ],
    ota_callback_blocked: callAgain,
    ota_callback_exhausted: callAgain,
  };
  const ask = isTicketless(view) ? ["Ask ticketing whether it has issued tickets under the trace id."] : [];
  return [...ask, ...(steps[view.status] ?? [])];
}
