import { setTimeout as sleep } from "node:timers/promises";
import type { Gateways } from "./gateways.ts";
import type { PlannedOrder } from "./plan.ts";
import { oneOf, type Random } from "./random.ts";

/** What the API said to an order, for good. */
export interface Answered {
  readonly order: PlannedOrder;
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly at: number;
}

export interface ClientCounts {
  /** Requests sent, without an answer, and refused for the moment (409, 503). */
  sent: number;
  unanswered: number;
  refused: number;
}

/** A request that had no answer. Epoch milliseconds. */
export interface Unanswered {
  readonly at: number;
  readonly order: PlannedOrder;
  readonly reason: string;
}

const ANSWER_TIMEOUT_MS = 2_500;
const PAUSE_MS = 150;

/** Sends orders as a patient partner: no answer or a refusal for the moment, and it asks again, wherever. */
export function createClient(
  gateways: Gateways,
  callbackUrls: Readonly<Record<string, string>>,
  random: Random,
) {
  const answers: Answered[] = [];
  const unanswered: Unanswered[] = [];
  const counts: ClientCounts = { sent: 0, unanswered: 0, refused: 0 };

  function bodyOf({ externalOrderId, partner, items, buyer }: PlannedOrder): string {
    return JSON.stringify({
      external_order_id: externalOrderId,
      callback_url: `${callbackUrls[partner.id]}/callback`,
      items,
      buyer: { name: buyer },
    });
  }

  async function sendOnce(order: PlannedOrder, url: string, signal: AbortSignal): Promise<boolean> {
    counts.sent += 1;
    const response = await fetch(`${url}/orders`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "x-partner-id": order.partner.id,
        "x-partner-token": order.partner.token,
        "idempotency-key": order.key,
      },
      body: bodyOf(order),
      signal: AbortSignal.any([signal, AbortSignal.timeout(ANSWER_TIMEOUT_MS)]),
    });
    const body = (await response.json()) as Record<string, unknown>;
    const { status } = response;
    if (status === 503 || status === 409) {
      counts.refused += 1;
      return false;
    }
    answers.push({ order, status, body, at: Date.now() });
    return true;
  }

  /** Resolves when it has an answer for good. */
  async function send(order: PlannedOrder, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const urls = Array.from({ length: gateways.count }, (_, gateway) => gateways.url(gateway));
      const url = oneOf(random, urls);
      const at = Date.now();
      try {
        if (url !== null && (await sendOnce(order, url, signal))) return;
      } catch (error) {
        counts.unanswered += 1;
        const { cause = error } = error as Error;
        unanswered.push({ at, order, reason: String(cause) });
      }
      await sleep(PAUSE_MS);
    }
  }

  return { answers, unanswered, counts, send };
}

export type Client = ReturnType<typeof createClient>;
