import type { LogEvent } from "../observe/log.ts";
import type { JobStatus, Leg, OrderStatus } from "../orders/states.ts";
import { orderAfterJob } from "../orders/transitions.ts";
import type { ReceivedCallback } from "../sandbox/partner.ts";
import { paint, plain, type Style } from "./cli/output.ts";
import { span } from "./cli/time.ts";

/** One thing that happened to an order. */
interface Step {
  readonly order_id: number | null;
  readonly external_order_id: string;
  readonly trace_id: string;
  readonly step: string;
  readonly result: string;
  readonly duration_ms: number | null;
  readonly note: string;
  readonly good: boolean | null;
}

/** The orders' stories as they happen, told from what the gateway logs and what the sandbox partner receives. */
export interface Story {
  readonly logged: (event: LogEvent) => void;
  readonly received: (callback: ReceivedCallback) => void;
  /** Resolves when the order has come to an end, or to a stop. */
  readonly finished: (orderId: number) => Promise<void>;
}

/** Room for the longest status. */
const RESULT_WIDTH = 22;
const STYLES: readonly Style[] = ["cyan", "yellow", "magenta", "blue", "green"];

/** @param json one JSON object for each step instead of a line for eyes */
export function createStory(write: (line: string) => void, json: boolean): Story {
  const startedAt = performance.now();
  const names = new Map<string, string>();
  const finishes = new Map<number, PromiseWithResolvers<void>>();

  function finishOf(orderId: number): PromiseWithResolvers<void> {
    const finish = finishes.get(orderId) ?? Promise.withResolvers<void>();
    finishes.set(orderId, finish);
    return finish;
  }

  function tell(step: Step): void {
    const seconds = (performance.now() - startedAt) / 1000;
    if (json) return write(JSON.stringify({ type: "step", at_secs: Number(seconds.toFixed(3)), ...step }));
    write(lineOf(step, seconds, STYLES[[...names.keys()].indexOf(step.trace_id) % STYLES.length] ?? "white"));
  }

  function nameOf(traceId: string, fallback: string): string {
    const name = names.get(traceId) ?? plain(fallback);
    // Set again and again, it keeps its place: the colour.
    names.set(traceId, name);
    return name;
  }

  function accepted(event: LogEvent): void {
    const traceId = String(event["trace_id"]);
    const name = nameOf(traceId, String(event["external_order_id"]));
    tell({
      order_id: Number(event["order_id"]),
      external_order_id: name,
      trace_id: traceId,
      step: "order",
      result: "accepted",
      duration_ms: null,
      note: `order ${String(event["order_id"])}, trace ${traceId}`,
      good: null,
    });
  }

  function attempted(leg: Leg, event: LogEvent): void {
    const traceId = String(event["trace_id"]);
    const orderId = Number(event["order_id"]);
    const order = { order_id: orderId, external_order_id: nameOf(traceId, `#${orderId}`), trace_id: traceId };
    const job = event["job"] as JobStatus;
    tell({
      ...order,
      step: `${leg} ${String(event["attempt"])}`,
      result: [event["code"], event["error"]]
        .filter((each) => each !== null)
        .map(String)
        .join(" "),
      duration_ms: event["duration_ms"] as number | null,
      note: noteOf(leg, event),
      good: event["outcome"] === "done",
    });
    const status = orderAfterJob(leg, job);
    if (status === null) return;
    const isEnd = status !== "ticketed";
    tell({
      ...order,
      step: "order",
      result: status,
      duration_ms: null,
      note: isEnd ? ending(status) : "tickets and callback stored together",
      good: isEnd ? !/blocked|exhausted|unknown/.test(status) : null,
    });
    if (isEnd) finishOf(orderId).resolve();
  }

  return {
    logged(event) {
      if (event.event === "order.accepted") accepted(event);
      if (event.event === "ticketing.attempted") attempted("ticketing", event);
      if (event.event === "callback.attempted") attempted("callback", event);
    },
    received({ traceId, verified, duplicate, status, body }) {
      if (traceId === null) return;
      const signature = verified ? "signature verified" : "signature WRONG";
      tell({
        order_id: null,
        external_order_id: nameOf(traceId, "?"),
        trace_id: traceId,
        step: "partner",
        result: signature,
        duration_ms: null,
        note: [ticketsIn(body), duplicate ? "again" : "", `answers ${status}`].filter(Boolean).join(", "),
        good: verified,
      });
    },
    finished: (orderId) => finishOf(orderId).promise,
  };
}

function noteOf(leg: Leg, event: LogEvent): string {
  const dueInMs = event["due_in_ms"];
  if (typeof dueInMs === "number")
    return `attempt ${Number(event["attempt"]) + 1} in ${span(Math.max(0, dueInMs))}`;
  if (event["outcome"] === "blocked")
    return leg === "ticketing" ? "ticketing refuses it" : "the partner refuses";
  if (event["outcome"] !== "done") return "";
  return leg === "ticketing" ? "tickets issued" : "the partner knows";
}

function ending(status: OrderStatus): string {
  return status === "ota_callback_delivered" ? "done" : "stands still until an operator decides";
}

/** What the partner finds in the signed body. */
function ticketsIn(body: unknown): string {
  const { order } = (body ?? {}) as { order?: { reference?: unknown; tickets?: unknown } };
  if (!Array.isArray(order?.tickets)) return "";
  const reference = typeof order.reference === "string" ? ` ${plain(order.reference)}` : "";
  return `${order.tickets.length} ${order.tickets.length === 1 ? "ticket" : "tickets"}${reference}`;
}

function lineOf(step: Step, seconds: number, style: Style): string {
  const { external_order_id: name, trace_id: traceId, good, duration_ms: durationMs } = step;
  const result = `${step.result}${durationMs === null ? "" : ` in ${span(durationMs)}`}`.padEnd(RESULT_WIDTH);
  return [
    paint("dim", `${seconds.toFixed(2).padStart(6)} s`),
    // Of the trace id the last part, which is random: all begin with the time.
    paint(style, [name.padEnd(6), traceId.slice(-12), step.step.padEnd(11)].join("  ")),
    good === null ? result : paint(good ? "green" : "red", result),
    step.note,
  ]
    .join("  ")
    .trimEnd();
}
