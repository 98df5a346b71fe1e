import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from "fastify";
import { checkPartnerEntry } from "../../src/config/partner-entry.ts";
import { createHttpServer, type HttpServerOptions } from "../../src/http/server.ts";
import { type Clock, systemClock } from "../../src/lib/clock.ts";
import { createCredentials } from "../../src/lib/credentials.ts";
import type { LogEvent } from "../../src/observe/log.ts";
import { createAddressGuard } from "../../src/outbound/address-guard.ts";
import type { Resolve } from "../../src/outbound/resolver.ts";
import { createAccept } from "../../src/pipeline/accept.ts";
import { createOrderWaits } from "../../src/pipeline/order-waits.ts";
import { createPlainExchange } from "../../src/pipeline/exchange.ts";
import type { NewPartner } from "../../src/storage/partners.ts";
import type { Storage } from "../../src/storage/open.ts";
import { type DatabaseUnderTest, freshStorage, SQLITE } from "../support/databases.ts";
import { noSlots } from "../support/no-slots.ts";
import { heardBy } from "../support/log.ts";

export interface Door {
  readonly app: FastifyInstance;
  readonly storage: Storage;
  /** Everything that was logged. */
  readonly events: LogEvent[];
  addPartner(partner: Partial<NewPartner> & { id: string }, token?: string): Promise<void>;
  /** `POST /orders` as partner `demo`, unless the options say otherwise. */
  post(options?: InjectOptions): Promise<LightMyRequestResponse>;
  get(url: string, headers?: Record<string, string | string[]>): Promise<LightMyRequestResponse>;
  close(): Promise<void>;
}

const TOKEN = "demotoken";
export const DEMO = { "x-partner-id": "demo", "x-partner-token": TOKEN };
export const ORDER = {
  external_order_id: "EXT-42",
  callback_url: "https://partner.example.com/ota/callback",
  items: [{ sku: "ADULT-DAY", qty: 2, unit_price_minor: 129900, currency: "THB" }],
  buyer: { name: "Alex" },
};

const POLICY = {
  requireHttps: true,
  allowedHosts: [],
  allowedPorts: [443],
  allowedCidrs: [],
  refuseUnknownNames: true,
};
const credentials = createCredentials({ keys: ["a key for tests"], development: false });

/** No name server is asked: `internal.example.com` is private, everything else is public. */
const resolve: Resolve = async (name) => ({
  kind: "addresses",
  addresses: [name === "internal.example.com" ? "10.0.0.1" : "8.8.8.8"],
});

/** The HTTP layer on a real database, with partner `demo`, whose bucket holds plenty. */
export async function openDoor(
  options: Partial<HttpServerOptions> & { kind?: DatabaseUnderTest; clock?: Clock } = {},
): Promise<Door> {
  const { kind = SQLITE, clock = systemClock, ...overrides } = options;
  const storage = await freshStorage(kind);
  const events: LogEvent[] = [];
  const push = (event: LogEvent) => void events.push(event);
  const log = heardBy(push);
  const accept = createAccept({
    database: storage.database,
    intake: storage.intake,
    guard: createAddressGuard({ policy: POLICY, resolve }),
    policy: POLICY,
    clock,
    log,
    reserve: noSlots,
    onAccepted: () => {},
  });
  const app = createHttpServer({
    ...storage,
    announce: () => {},
    slots: { ticketing: 10, callback: 5 },
    checkPartner: checkPartnerEntry,
    sharedSigningSecret: null,
    testCallback: async () => {
      throw new Error("nothing is sent by this door");
    },
    exchange: createPlainExchange({ onUnknown: "retry", clock }),
    attemptsPerRun: 15,
    overview: storage.overview,
    errorGroups: storage.errorGroups,
    venueTimeZone: "Asia/Bangkok",
    sessionLimits: { idleMs: 1_800_000, maxMs: 43_200_000 },
    ticketingHost: "ticketing.example.com",
    waits: createOrderWaits({ read: storage.readStandings, log }),
    accept,
    credentials,
    trustedProxies: [],
    rateLimit: { capacity: 1000, perSec: 1000 },
    development: false,
    metricsPublic: false,
    metricsText: async () => "",
    log,
    clock,
    readiness: async () => ({ ready: true, checks: { database: "ok" } }),
    ...overrides,
  });
  const addPartner: Door["addPartner"] = async (partner, token = TOKEN) => {
    const nobodysLimits = { rateCapacity: null, ratePerSec: null, signingSecret: null, callbackHosts: null };
    const defaults = { name: partner.id, allowlistCidrs: null, rejectRepeats: false, development: false };
    const tokenDigest = credentials.digest(token);
    await storage.partners.add({ ...nobodysLimits, ...defaults, tokenDigest, ...partner }, Date.now());
  };
  await addPartner({ id: "demo" });
  return {
    app,
    storage,
    events,
    addPartner,
    post: ({ headers, ...more } = {}) =>
      app.inject({
        method: "POST",
        url: "/orders",
        headers: { "content-type": "application/json", ...DEMO, ...headers },
        payload: ORDER,
        ...more,
      }),
    get: (url, headers = DEMO) => app.inject({ url, headers }),
    async close() {
      await app.close();
      await storage.close();
    },
  };
}

/** Makes an operator and gives the headers that its token is sent in. */
export async function addOperator(
  { storage }: Door,
  name: string,
  more: { role?: "viewer" | "operator"; development?: boolean } = {},
): Promise<{ authorization: string }> {
  const token = `token-of-${name}`;
  const { role = "operator", development = false } = more;
  await storage.operators.add(
    { name, role, tokenDigest: credentials.digest(token), development },
    Date.now(),
  );
  return { authorization: `Bearer ${token}` };
}

export { credentials };
