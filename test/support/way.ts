import { systemClock, type Clock } from "../../src/lib/clock.ts";
import { createAccept, type AcceptResult } from "../../src/pipeline/accept.ts";
import { createCallbackStep } from "../../src/pipeline/callback.ts";
import { createEngine, type Engine } from "../../src/pipeline/engine.ts";
import { createMappedExchange } from "../../src/pipeline/mapped-exchange.ts";
import { createTicketingStep } from "../../src/pipeline/ticketing.ts";
import type { LogEvent } from "../../src/observe/log.ts";
import type { Mapping } from "../../src/orders/mapping.ts";
import type { RetrySchedule } from "../../src/orders/schedule.ts";
import { checkOrderInput } from "../../src/orders/order-input.ts";
import { createAddressGuard } from "../../src/outbound/address-guard.ts";
import type { CallbackPolicy } from "../../src/outbound/callback-url.ts";
import { plainConnector } from "../../src/outbound/connector.ts";
import { createHttpClient } from "../../src/outbound/http-client.ts";
import { parseStrictJson } from "../../src/lib/strict-json.ts";
import type { Storage } from "../../src/storage/open.ts";
import type { OrderStory } from "../../src/storage/order-queries.ts";
import { startRecorder, type Recorder } from "./recorder.ts";
import { heardBy } from "./log.ts";

/** Seconds of the seed's schedule. */
export const SEED_OFFSETS_SECS = [0, 2, 6, 12, 20, 30, 45, 65, 90, 120, 155, 195, 235, 270, 300];

/** Callbacks to loopback, as `--dev` allows them. */
export const LOOPBACK_POLICY: CallbackPolicy = {
  requireHttps: false,
  allowedHosts: [],
  allowedPorts: "any",
  allowedCidrs: ["127.0.0.0/8", "::1/128"],
  refuseUnknownNames: true,
};

export interface WayOptions {
  readonly storage: Storage;
  readonly clock?: Clock;
  readonly schedule?: RetrySchedule;
  readonly onUnknown?: "retry" | "hold";
  readonly mapping?: Mapping;
  readonly signingSecret?: string | null;
  readonly timeoutMs?: number;
  readonly leaseMs?: number;
  readonly slots?: number;
  readonly slotsPerPartner?: number;
  readonly policy?: CallbackPolicy;
  readonly random?: () => number;
}

/** The whole way of an order without the HTTP server: real database, real sockets, recording targets. */
export interface Way {
  readonly storage: Storage;
  readonly engine: Engine;
  readonly ticketing: Recorder;
  readonly partner: Recorder;
  readonly log: LogEvent[];
  accept(
    body?: Record<string, unknown>,
    idempotencyKey?: string | null,
    partnerId?: string,
  ): Promise<AcceptResult>;
  /** Accepts and gives the id. */
  order(body?: Record<string, unknown>): Promise<number>;
  /** Works what is due until nothing is. @returns attempts begun */
  work(): Promise<number>;
  story(id: number): Promise<OrderStory>;
  close(): Promise<void>;
}

export const PARTNER_ID = "demo";

export async function addPartner(storage: Storage, id = PARTNER_ID): Promise<void> {
  await storage.partners.add(
    {
      id,
      name: id,
      tokenDigest: "none",
      allowlistCidrs: null,
      rateCapacity: null,
      ratePerSec: null,
      signingSecret: null,
      callbackHosts: null,
      rejectRepeats: false,
      development: false,
    },
    Date.now(),
  );
}

export function orderBody(callbackUrl: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    external_order_id: "EXT-42",
    callback_url: callbackUrl,
    items: [{ sku: "ADULT-DAY", qty: 2, unit_price_minor: 129900, currency: "THB" }],
    buyer: { name: "Alex" },
    ...more,
  };
}

export async function startWay(options: WayOptions): Promise<Way> {
  const {
    storage,
    clock = systemClock,
    timeoutMs = 5_000,
    policy = LOOPBACK_POLICY,
    onUnknown = "retry",
  } = options;
  const { slots = 10, slotsPerPartner = slots } = options;
  await addPartner(storage);
  const ticketing = await startRecorder();
  const partner = await startRecorder();
  const events: LogEvent[] = [];
  const keep = (event: LogEvent): void => void events.push(event);
  const log = heardBy(keep);
  const resolve = async () => ({ kind: "failed" as const, code: "NO_NETWORK" });
  const guard = createAddressGuard({ policy, resolve });
  const client = createHttpClient({ connections: 64, connector: plainConnector({ timeoutMs }) });
  const guarded = createHttpClient({ connections: 64, connector: guard.connector({ timeoutMs }) });
  const { signingSecret = null } = options;
  const common = { slots, slotsPerPartner, deadlineMs: timeoutMs };
  const { mapping } = options;
  const ticketingStep = createTicketingStep({
    client,
    url: ticketing.url,
    authorization: null,
    onUnknown,
    timeoutMs,
    clock,
    ...(mapping ? { exchange: createMappedExchange({ mapping, onUnknown, clock, log }) } : {}),
  });
  const unseal = (sealed: string): string => sealed;
  const callbackStep = createCallbackStep({
    client: guarded,
    policy,
    signingSecret,
    unseal,
    timeoutMs,
    clock,
  });
  const engine = createEngine({
    storage,
    legs: { ticketing: { step: ticketingStep, ...common }, callback: { step: callbackStep, ...common } },
    schedule: options.schedule ?? { offsetsMs: SEED_OFFSETS_SECS.map((secs) => secs * 1000), jitterMs: 0 },
    onUnknown,
    leaseMs: options.leaseMs ?? timeoutMs + 5_000,
    pollMs: 100,
    probeMs: 5_000,
    holdLimitSecs: 3_600,
    claimedBy: "test",
    clock,
    random: options.random ?? (() => 0),
    log,
  });
  const { database, intake } = storage;
  const onAccepted = (): void => engine.announce("ticketing");
  const acceptOrder = createAccept({
    database,
    intake,
    guard,
    policy,
    clock,
    log,
    reserve: (partnerIds) => engine.workers.ticketing.reserve(partnerIds),
    onAccepted,
  });

  async function accept(
    more: Record<string, unknown> = {},
    idempotencyKey: string | null = null,
    partnerId = PARTNER_ID,
  ) {
    const rawPayload = JSON.stringify(orderBody(`${partner.url}/callback`, more));
    const parsed = parseStrictJson(rawPayload);
    if (!parsed.ok) throw new Error(parsed.detail);
    const checked = checkOrderInput(parsed.value, []);
    if (!checked.ok) throw new Error(JSON.stringify(checked.problems));
    return acceptOrder({
      partner: { id: partnerId, callbackHosts: null, rejectRepeats: false },
      idempotencyKey,
      input: checked.order,
      payload: parsed,
      rawPayload,
    });
  }

  return {
    storage,
    engine,
    ticketing,
    partner,
    log: events,
    accept,
    async order(body) {
      const result = await accept(body);
      if (result.kind !== "accepted") throw new Error(`not accepted: ${JSON.stringify(result)}`);
      return result.order.id;
    },
    async work() {
      let begun = 0;
      for (;;) {
        let taken = 0;
        for (const worker of Object.values(engine.workers)) {
          taken += await worker.takeDue();
          await worker.idle();
        }
        if (taken === 0) return begun;
        begun += taken;
      }
    },
    async story(id) {
      const story = await storage.orders.story(id, null);
      if (!story) throw new Error(`no order ${id}`);
      return story;
    },
    async close() {
      await engine.stop(5_000, async () => {});
      for (const each of [client, guarded]) each.destroy();
      await Promise.all([ticketing.close(), partner.close()]);
      await storage.close();
    },
  };
}
