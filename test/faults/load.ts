import { setTimeout as sleep } from "node:timers/promises";
import type { GatewayProcess } from "../support/gateway-process.ts";
import { orderBody } from "../support/way.ts";

/** A partner that doesn't give up. */
export interface Load {
  /** Ids of the orders that were acknowledged. */
  readonly accepted: readonly number[];
  /** Answers that were no 201, as `gateway: status retry-after`, and requests without one, as `gateway: none`. */
  readonly refusals: readonly string[];
  /** Every order that was begun has been accepted. */
  stop(): Promise<void>;
}

const SENDERS = 4;
const PAUSE_MS = 20;

/**
 * Sends one order after the other, each under a key of its own and until it is accepted, to whichever of the gateways is next:
 * the list may change meanwhile.
 */
export function startLoad(gateways: readonly GatewayProcess[], callbackUrl: string): Load {
  const accepted: number[] = [];
  const refusals: string[] = [];
  let stopping = false;
  let turn = 0;
  async function attempt(key: string): Promise<number | null> {
    const at = (turn += 1) % gateways.length;
    try {
      const response = await gateways[at]!.post(orderBody(callbackUrl), { "idempotency-key": key });
      const text = await response.text();
      if (response.status === 201) return (JSON.parse(text) as { id: number }).id;
      refusals.push(`${at}: ${response.status} ${response.headers.get("retry-after")}`);
    } catch {
      refusals.push(`${at}: none`);
    }
    return null;
  }
  async function sendUntilAccepted(key: string): Promise<void> {
    for (;;) {
      const id = await attempt(key);
      if (id !== null) accepted.push(id);
      await sleep(PAUSE_MS);
      if (id !== null) return;
    }
  }
  const sending = Array.from({ length: SENDERS }, async (_, sender) => {
    for (let n = 0; !stopping; n += 1) await sendUntilAccepted(`${sender}-${n}`);
  });
  return {
    accepted,
    refusals,
    async stop() {
      stopping = true;
      await Promise.all(sending);
    },
  };
}
