import * as fc from "fast-check";
import { type DatabaseUnderTest, openUrl } from "../../support/databases.ts";
import { startDnsServer } from "../../support/dns-server.ts";
import { gatewayEnv } from "../../support/gateway.ts";
import { type GatewayProcess, spawnGateway } from "../../support/gateway-process.ts";
import type { Knowledge } from "./draft.ts";
import { json, type Reply, startRecorder } from "../../support/recorder.ts";

export interface StoredOrder {
  readonly id: number;
  readonly raw_payload: string;
  readonly items: number;
}

/** A gateway in a process of its own, and everything around it, all of it on loopback. */
export interface World {
  readonly gateway: GatewayProcess;
  /** Where callbacks may go: nowhere else, so that no fuzzed URL leaves the machine or finds another's port. */
  readonly callbackPort: string;
  /** Of an operator who has signed in. */
  readonly session: string;
  /** The orders that came after this one. */
  storedAfter(id: number): Promise<StoredOrder[]>;
  /** The paths of what only operators make. */
  madeByOperators(): Promise<string[]>;
  close(): Promise<void>;
}

const HOSTS = ["partner.example.com", "a.fuzz.example", "127.0.0.1"];
const PLENTY = { capacity: 1_000_000, per_sec: 1_000_000 };
const LITTLE = { capacity: 1, per_sec: 0.001 };

const CREDENTIALS = { partnerId: "demo", partnerToken: "demotoken", operatorToken: "operator-token" };
/** One that refuses repeats, one with a bucket that is soon empty, one that may come from a few addresses alone. */
const OTHERS = ["strict", "slow", "listed"].map((id) => ({ partnerId: id, partnerToken: `token-of-${id}` }));
const PARTNERS = [
  { id: "demo", token: "demotoken", rate_limit: PLENTY },
  { id: "strict", token: "token-of-strict", rate_limit: PLENTY, reject_repeats: true },
  { id: "slow", token: "token-of-slow", rate_limit: LITTLE },
  { id: "listed", token: "token-of-listed", rate_limit: PLENTY, allowlist_cidrs: ["198.51.100.0/24"] },
].map((partner) => ({ name: partner.id, ...partner }));

/** So that orders come into every state that an answer may have to show. */
const TICKETING: Reply[] = [
  json(200, { tickets: [{ code: "T-1" }, "T-2"], reference: "R-1" }),
  404,
  503,
  (response) => response.socket?.resetAndDestroy(),
  422,
  json(200, "not what was agreed"),
  302,
  404,
];

export async function startWorld(kind: DatabaseUnderTest): Promise<World> {
  let turn = 0;
  const ticketing = await startRecorder((response, request) => {
    turn += 1;
    const reply = TICKETING[turn % TICKETING.length]!;
    if (typeof reply === "number") response.writeHead(reply).end();
    else reply(response, request);
  });
  const partner = await startRecorder(200, 200, 500, 404);
  const names = await startDnsServer(Object.fromEntries(HOSTS.map((host) => [host, ["127.0.0.1"]])));
  const callbackPort = new URL(partner.url).port;
  const closeOthers = () => Promise.all([ticketing, partner, names].map((each) => each.close()));
  const url = await kind.migratedUrl();
  const starting = spawnGateway({
    ...gatewayEnv(url, ticketing.url),
    PARTNERS_JSON: JSON.stringify(PARTNERS),
    OPERATORS_JSON: JSON.stringify([{ name: "ops", token: CREDENTIALS.operatorToken, role: "operator" }]),
    TRUSTED_PROXIES: "127.0.0.1",
    CALLBACK_DNS_SERVERS: names.address,
    ALLOWED_CALLBACK_HOSTS: `127.0.0.1,partner.example.com,*.fuzz.example`,
    ALLOWED_CALLBACK_PORTS: `443,${callbackPort}`,
    TICKETING_ON_UNKNOWN: "hold",
    // Short: some requests wait for their orders.
    RETRY_SCHEDULE_SECS: "0,0.05,0.1",
  });
  const gateway = await starting.catch(async (error: unknown) => {
    await closeOthers();
    throw error;
  });
  const storage = openUrl(url);
  return {
    gateway,
    callbackPort,
    session: await sessionOf(gateway.url),
    storedAfter: (id) =>
      storage.database.run<StoredOrder>(
        `select o.id, o.raw_payload, (select count(*) from order_items i where i.order_id = o.id) as items
         from orders o where o.id > $1 order by o.id`,
        [id],
      ),
    async madeByOperators() {
      const response = await fetch(`${gateway.url}/admin/bulk`, {
        method: "POST",
        headers: {
          authorization: `Bearer ${CREDENTIALS.operatorToken}`,
          "content-type": "application/json",
        },
        body: JSON.stringify({ action: "retry", filter: { q: "none of them" }, reason: "to be looked at" }),
      });
      return [`/admin/partners/${CREDENTIALS.partnerId}`, response.headers.get("location")!];
    },
    async close() {
      await storage.close();
      await gateway.stop();
      await closeOthers();
    },
  };
}

/** What a browser would send as its cookie, without the name. */
async function sessionOf(gateway: string): Promise<string> {
  const response = await fetch(`${gateway}/admin/session`, {
    method: "POST",
    headers: {
      origin: "https://gateway.example.com",
      "sec-fetch-site": "same-origin",
      "content-type": "application/json",
    },
    body: JSON.stringify({ token: CREDENTIALS.operatorToken }),
  });
  return /=([^;]+)/.exec(response.headers.get("set-cookie")!)![1]!;
}

/** What the document can't say of this gateway: who may ask it, and where callbacks may go. */
export function knowledgeOf({ callbackPort, session }: World): Knowledge {
  const start = fc.constantFrom(
    ...HOSTS.map((host) => `http://${host}:${callbackPort}`),
    "https://partner.example.com",
  );
  const rest = fc.stringMatching(/^(?:\/[a-zA-Z0-9._~-]{0,8})*(?:\?[a-z0-9=&%]*)?$/);
  return {
    credentials: { ...CREDENTIALS, operatorSession: session },
    others: OTHERS,
    formats: {
      uri: fc.tuple(start, rest).map((parts) => parts.join("")),
      "date-time": fc
        .date({ min: new Date("0000-01-01"), max: new Date("9999-12-31"), noInvalidDate: true })
        .map((date) => date.toISOString()),
      date: fc
        .date({ min: new Date("0000-01-01"), max: new Date("9999-12-31"), noInvalidDate: true })
        .map((date) => date.toISOString().slice(0, 10)),
    },
    certain: {
      uri: `^(?:http://(?:${HOSTS.join("|")}):${callbackPort}|https://partner\\.example\\.com)(?:/[a-z]*)*$`,
    },
  };
}
