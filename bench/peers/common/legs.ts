import canonicalize from "canonicalize";
import type { AttemptRow, CallbackTask, Settlement, TicketingTask } from "./orders.ts";
import { type Answer, createOutbound } from "./outbound.ts";
import type { Settings } from "./settings.ts";
import { signatureHeaders } from "./signature.ts";
import { createSlots } from "./slots.ts";

/**
 * The two calls of an order's way, without any engine: each makes one attempt and says what is to be written. As many
 * are in flight as the settings say; whoever calls beyond that waits.
 */
export interface Legs {
  ticketing(task: TicketingTask): Promise<Settlement<TicketingTask>>;
  callback(task: CallbackTask): Promise<Settlement<CallbackTask>>;
  close(): Promise<void>;
}

const MAX_ANSWER = 4096;

export function createLegs(settings: Settings): Legs {
  const toTicketing = createOutbound(settings.ticketingConcurrency);
  const toPartners = createOutbound(settings.callbackConcurrency);
  const ticketingSlots = createSlots(settings.ticketingConcurrency);
  const callbackSlots = createSlots(settings.callbackConcurrency);

  function settle<Task extends TicketingTask | CallbackTask>(
    task: Task,
    leg: "ticketing" | "ota_callback",
    startedAt: number,
    { code, error, body }: Answer,
  ): Settlement<Task> {
    const endedAt = Date.now();
    const dueAt = nextDueAt(settings, task.attempt, startedAt, endedAt);
    const blocked = code !== null && code >= 400 && code < 500 && code !== 429;
    const stopped = blocked ? `${leg}_blocked` : dueAt === null ? `${leg}_exhausted` : null;
    const row: AttemptRow = {
      order_id: task.orderId,
      partner_id: task.partnerId,
      no: task.attempt,
      code,
      error,
      at: startedAt,
      duration_ms: endedAt - startedAt,
      answer: body === "" ? null : body.slice(0, MAX_ANSWER).replaceAll("\0", "\uFFFD"),
      status: stopped,
      reason: stopped === null ? null : `answered ${code ?? error}`,
      reference: null,
      tickets: [],
    };
    const again =
      stopped === null && dueAt !== null ? { task: { ...task, attempt: task.attempt + 1 }, dueAt } : null;
    return { row, again, callback: null };
  }

  async function attemptTicketing(task: TicketingTask): Promise<Settlement<TicketingTask>> {
    const { traceId, partnerId, input } = task;
    const { callback_url: _, ...rest } = input;
    const startedAt = Date.now();
    const headers = {
      "content-type": "application/json",
      "x-trace-id": traceId,
      "x-origin-partner-id": partnerId,
      "x-external-order-id": input.external_order_id,
      "idempotency-key": traceId,
    };
    const body = JSON.stringify({ ...rest, trace_id: traceId, partner_id: partnerId });
    const answer = await toTicketing.post(settings.ticketingUrl, headers, body);
    const settlement = settle(task, "ticketing", startedAt, answer);
    if (!isSuccess(answer)) return settlement;
    const issued = readTickets(answer.body);
    const { at, duration_ms } = settlement.row;
    const row: AttemptRow = {
      ...settlement.row,
      status: "ticketed",
      reason: null,
      reference: issued.reference,
      tickets: issued.tickets.map((ticket) => JSON.stringify(ticket)),
    };
    return { row, again: null, callback: callbackTask(task, { ...issued, ticketedAt: at + duration_ms }) };
  }

  async function attemptCallback(task: CallbackTask): Promise<Settlement<CallbackTask>> {
    const { traceId, partnerId, externalOrderId, body, eventId } = task;
    const startedAt = Date.now();
    const headers = {
      "content-type": "application/json",
      "x-trace-id": traceId,
      "x-origin-partner-id": partnerId,
      "x-external-order-id": externalOrderId,
      "idempotency-key": traceId,
      ...(settings.signingKey === null ? {} : signatureHeaders(settings.signingKey, eventId, body)),
    };
    const answer = await toPartners.post(new URL(task.url), headers, body);
    const settlement = settle(task, "ota_callback", startedAt, answer);
    if (!isSuccess(answer)) return settlement;
    const row: AttemptRow = { ...settlement.row, status: "ota_callback_delivered", reason: null };
    return { row, again: null, callback: null };
  }

  return {
    ticketing: (task) => ticketingSlots(() => attemptTicketing(task)),
    callback: (task) => callbackSlots(() => attemptCallback(task)),
    async close() {
      await Promise.all([toTicketing.close(), toPartners.close()]);
    },
  };
}

const isSuccess = ({ code, error }: Answer): boolean =>
  error === null && code !== null && code >= 200 && code < 300;

/** start(i) + offset[i+1] - offset[i] + jitter, not before the attempt ended; null after the last. */
function nextDueAt(settings: Settings, attempt: number, startedAt: number, endedAt: number): number | null {
  const { offsetsMs, jitterMs } = settings;
  const [current, next] = [offsetsMs[attempt - 1], offsetsMs[attempt]];
  if (current === undefined || next === undefined) return null;
  return Math.round(Math.max(startedAt + next - current + Math.random() * jitterMs, endedAt));
}

export interface Issued {
  readonly reference: string | null;
  readonly tickets: readonly unknown[];
  /** Epoch milliseconds. */
  readonly ticketedAt: number;
}

function readTickets(body: string): Omit<Issued, "ticketedAt"> {
  try {
    const { reference, tickets } = JSON.parse(body) as { reference?: unknown; tickets?: unknown };
    return {
      reference: typeof reference === "string" ? reference : null,
      tickets: Array.isArray(tickets) ? tickets : [],
    };
  } catch {
    return { reference: null, tickets: [] };
  }
}

/** The callback of an order that has its tickets: the same order gives the same bytes, whenever it is built. */
export function callbackTask(task: TicketingTask, issued: Issued): CallbackTask {
  const { orderId, traceId, partnerId, input } = task;
  const eventId = `evt_${traceId.replaceAll("-", "")}`;
  const body = canonicalize({
    event: "order.ticketed",
    event_id: eventId,
    sequence: 1,
    occurred_at: new Date(issued.ticketedAt).toISOString(),
    order: {
      id: orderId,
      external_order_id: input.external_order_id,
      trace_id: traceId,
      status: "ticketed",
      reference: issued.reference,
      items: input.items,
      tickets: issued.tickets,
    },
  })!;
  const externalOrderId = input.external_order_id;
  const url = input.callback_url;
  return { orderId, traceId, partnerId, attempt: 1, externalOrderId, url, eventId, body };
}
