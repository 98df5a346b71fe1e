// The bare pipeline: what this machine can do at all with the parts that WaveGate is made of, as the measure for WaveGate.
//
// The same: Fastify, undici's Clients, node:sqlite or pg; POST -> commit -> 201 -> ticketing -> commit -> signed callback
// -> commit; the same schema, rows, PRAGMAs and headers, and the same batch rule: what arrives while a transaction
// runs shares the next one. Left out: partners and their tokens, rate limits, validation (JSON.parse is trusted),
// replays of keys, the address guard, deadlines, limits on bodies and queues, claims and leases (an order is handed on
// in memory; its job rows end as they would), retries, circuits, logs, and every path but the happy one: anything
// else ends the process. It starts on an empty database and numbers the orders itself.
//
// The variables are those of every contender: DATABASE_URL, TICKETING_URL, HOST, PORT,
// TICKETING_CONCURRENCY, CALLBACK_CONCURRENCY, CALLBACK_CONCURRENCY_TOTAL, CALLBACK_SIGNING_SECRET.
import { createHmac, createSecretKey, hash } from "node:crypto";
import Fastify from "fastify";
import { spanId, uuidV7 } from "../../src/lib/ids.ts";
import { signingKey } from "../../src/outbound/signature.ts";
import { parseDatabaseUrl } from "../../src/storage/target.ts";
import type { Accepted, Delivered, OrderItem, Ticketed } from "./store.ts";
import { createTarget, type Target } from "./target.ts";

const env = (name: string, fallback: string): string => process.env[name] ?? fallback;
const { at } = parseDatabaseUrl(env("DATABASE_URL", "sqlite::memory:"));
const store =
  at.kind === "sqlite"
    ? await (await import("./sqlite.ts")).openSqliteStore(at.path)
    : await (await import("./postgres.ts")).openPostgresStore(at.url);

// Batches: the product's maxima.
const MAX_ACCEPTS = 100;
const MAX_SETTLES = 200;

/** An order on its way. */
interface Order {
  readonly row: Accepted;
  /** What ticketing is sent. */
  readonly request: string;
  answer(): void;
}
interface Event {
  readonly row: Ticketed;
  readonly order: Order;
}

const accepted: Order[] = [];
const ticketed: Event[] = [];
const delivered: Delivered[] = [];
let writing = 0;
let scheduled = false;

function writeSoon(): void {
  if (scheduled || writing === store.lanes) return;
  scheduled = true;
  setImmediate(startWrites);
}

function startWrites(): void {
  scheduled = false;
  while (writing < store.lanes && isWaiting()) {
    const orders = accepted.splice(0, MAX_ACCEPTS);
    const events = ticketed.splice(0, MAX_SETTLES);
    writing += 1;
    const written = store.write({
      accepted: orders.map(({ row }) => row),
      ticketed: events.map(({ row }) => row),
      delivered: delivered.splice(0, MAX_SETTLES),
    });
    if (written === undefined) passOn(orders, events);
    else void written.then(() => passOn(orders, events));
  }
}

const isWaiting = (): boolean => accepted.length > 0 || ticketed.length > 0 || delivered.length > 0;

function passOn(orders: readonly Order[], events: readonly Event[]): void {
  writing -= 1;
  for (const order of orders) order.answer();
  for (const order of orders) ticket(order);
  for (const event of events) tell(event);
  if (isWaiting()) writeSoon();
}

// Out.

const headersOf = ({ traceId, partnerId, externalOrderId }: Accepted): Record<string, string> => ({
  "content-type": "application/json",
  "user-agent": "WaveGate",
  "x-trace-id": traceId,
  "x-origin-partner-id": partnerId,
  "x-external-order-id": externalOrderId,
  "idempotency-key": traceId,
  traceparent: `00-${traceId.replaceAll("-", "")}-${spanId()}-01`,
  "accept-encoding": "identity",
});

const ticketingUrl = new URL(env("TICKETING_URL", ""));
const ticketing = createTarget(ticketingUrl.origin, Number(env("TICKETING_CONCURRENCY", "64")));

function ticket(order: Order): void {
  const { id, partnerId } = order.row;
  const startedAtMs = Date.now();
  ticketing.post(ticketingUrl.pathname, headersOf(order.row), order.request, (code, answer) => {
    const { reference = null, tickets = [] } = JSON.parse(answer) as {
      reference?: string | null;
      tickets?: unknown[];
    };
    const endedAtMs = Date.now();
    const eventId = `evt_${uuidV7(endedAtMs).replaceAll("-", "")}`;
    const event = { eventId, reference, tickets: tickets.map((one) => JSON.stringify(one)), endedAtMs };
    const row = { ...event, id, partnerId, startedAtMs, code, answer, body: eventBody(order.row, event) };
    ticketed.push({ order, row });
    writeSoon();
  });
}

const json = (value: unknown): string => JSON.stringify(value);

/** Canonical JSON (RFC 8785), as its members stand here in their order. */
function eventBody(
  order: Accepted,
  event: Pick<Ticketed, "eventId" | "reference" | "tickets" | "endedAtMs">,
) {
  const items = order.items.map(
    ({ sku, qty, unit_price_minor: price, currency, visit_date: date, visit_time: time }) =>
      `{"currency":"${currency}","qty":${qty},"sku":${json(sku)},"unit_price_minor":${price}` +
      `${date === undefined ? "" : `,"visit_date":"${date}"`}${time === undefined ? "" : `,"visit_time":"${time}"`}}`,
  );
  return (
    `{"event":"order.ticketed","event_id":"${event.eventId}","occurred_at":"${new Date(event.endedAtMs).toISOString()}",` +
    `"order":{"external_order_id":${json(order.externalOrderId)},"id":${order.id},"items":[${items.join()}],` +
    `"reference":${json(event.reference)},"status":"ticketed","tickets":[${event.tickets.join()}],` +
    `"trace_id":"${order.traceId}"},"sequence":1}`
  );
}

const perPartner = Math.min(
  Number(env("CALLBACK_CONCURRENCY", "64")),
  Number(env("CALLBACK_CONCURRENCY_TOTAL", "256")),
);
const partners = new Map<string, Target>();
// Made once: a key that is handed over as bytes costs six times the signature.
const secret = createSecretKey(signingKey(env("CALLBACK_SIGNING_SECRET", "bench")));

function partnerAt(origin: string): Target {
  const partner = partners.get(origin) ?? createTarget(origin, perPartner);
  partners.set(origin, partner);
  return partner;
}

function tell({ row: { id, partnerId, eventId, body }, order: { row: order } }: Event): void {
  const { origin, pathname, search } = new URL(order.callbackUrl);
  const startedAtMs = Date.now();
  const timestamp = String(Math.floor(startedAtMs / 1000));
  const headers = headersOf(order);
  headers["webhook-id"] = eventId;
  headers["webhook-timestamp"] = timestamp;
  headers["webhook-signature"] = `v1,${hmac(`${eventId}.${timestamp}.${body}`, "base64")}`;
  headers["X-Callback-Signature"] = hmac(body, "hex");
  partnerAt(origin).post(pathname + search, headers, body, (code, answer) => {
    const endedAtMs = Date.now();
    delivered.push({ id, partnerId, startedAtMs, endedAtMs, code, answer: answer || null });
    writeSoon();
  });
}

const hmac = (text: string, encoding: "hex" | "base64"): string =>
  createHmac("sha256", secret).update(text).digest(encoding);

// In.

const app = Fastify({ logger: false, keepAliveTimeout: 65_000 });
app.removeAllContentTypeParsers();
app.addContentTypeParser<string>("application/json", { parseAs: "string" }, (_request, body, done) =>
  done(null, body),
);
app.get("/health", () => ({ status: "ok" }));

let lastId = 0;
app.post<{ Body: string }>("/orders", (request, reply) => {
  const { body: rawPayload, headers } = request;
  const { callback_url: callbackUrl, ...rest } = JSON.parse(rawPayload) as {
    callback_url: string;
    external_order_id: string;
    items: OrderItem[];
  };
  const partnerId = String(headers["x-partner-id"]);
  const atMs = Date.now();
  const traceId = uuidV7(atMs);
  const id = (lastId += 1);
  const { external_order_id: externalOrderId, items } = rest;
  const key = headers["idempotency-key"] === undefined ? null : String(headers["idempotency-key"]);
  const fingerprint = hash("sha256", rawPayload);
  const row = {
    id,
    partnerId,
    externalOrderId,
    traceId,
    callbackUrl,
    rawPayload,
    items,
    key,
    fingerprint,
    atMs,
  };
  accepted.push({
    row,
    request: `{"trace_id":"${traceId}","partner_id":${json(partnerId)},${json(rest).slice(1)}`,
    answer: () =>
      void reply
        .code(201)
        .headers({ location: `/orders/${id}`, "x-trace-id": traceId })
        .type("application/json; charset=utf-8")
        .send(
          `{"id":${id},"order_id":${id},"partner_id":${json(partnerId)},"external_order_id":${json(externalOrderId)},` +
            `"trace_id":"${traceId}","pipeline_status":"accepted","created_at":"${new Date(atMs).toISOString()}"}`,
        ),
  });
  writeSoon();
});

const url = await app.listen({ host: env("HOST", "127.0.0.1"), port: Number(env("PORT", "0")) });
console.log(JSON.stringify({ event: "gateway.started", url }));

process.once("SIGTERM", () => {
  void app.close().then(async () => {
    await store.close();
    process.exit(0);
  });
});
