import assert from "node:assert/strict";
import { request, type ServerResponse } from "node:http";
import { after, before, beforeEach, suite, test } from "node:test";
import { onEachDatabase, POSTGRES } from "../support/databases.ts";
import { gatewayEnv, PARTNER_HEADERS, runGateway, type RunningGateway } from "../support/gateway.ts";
import { spawnGateway, until } from "../support/gateway-process.ts";
import { json, type Recorder, startRecorder } from "../support/recorder.ts";
import { orderBody } from "../support/way.ts";

const TICKETS = { tickets: [{ code: "A1" }, "B2"], reference: "TK-9" };
const SIX = ["created_at", "external_order_id", "id", "partner_id", "pipeline_status", "trace_id"];

let ticketing: Recorder;
let partner: Recorder;
before(async () => {
  ticketing = await startRecorder();
  partner = await startRecorder();
});
beforeEach(() => {
  ticketing.answer(json(200, TICKETS));
  partner.answer(200);
});
after(() => Promise.all([ticketing.close(), partner.close()]));

function postTo(url: string, query: string, headers: Record<string, string> = {}) {
  return fetch(`${url}/orders${query}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...PARTNER_HEADERS, ...headers },
    body: JSON.stringify(orderBody(`${partner.url}/cb`)),
  });
}

async function created(response: Response): Promise<Record<string, unknown>> {
  assert.equal(response.status, 201);
  return (await response.json()) as Record<string, unknown>;
}

onEachDatabase("POST /orders?wait", (kind) => {
  let gateway: RunningGateway;
  before(async () => {
    const env = gatewayEnv(await kind.migratedUrl(), ticketing.url);
    gateway = await runGateway({ ...env, RETRY_SCHEDULE_SECS: "0,60" });
  });
  after(() => gateway.stop());
  const post = (query: string, headers = {}) => postTo(gateway.url!, query, headers);
  const stored = async () => (await (await gateway.get("/orders?limit=200")).json()) as unknown[];

  test("the 201 carries the tickets beside the six fields; without wait it is as ever", async () => {
    const key = { "idempotency-key": "one" };
    const { status, reference, tickets, ...six } = await created(await post("?wait=20", key));
    assert.deepEqual([reference, tickets], [TICKETS.reference, TICKETS.tickets]);
    assert.match(String(status), /^(ticketed|ota_callback_)/);
    assert.deepEqual([Object.keys(six).toSorted(), six["pipeline_status"]], [SIX, "accepted"]);

    const replay = await post("", key);
    assert.equal(replay.headers.get("idempotent-replayed"), "true");
    assert.deepEqual(await created(replay), six, "a repeat without wait is told the first answer");
    const again = await post("?wait=20", key);
    assert.equal(again.headers.get("idempotent-replayed"), "true");
    assert.deepEqual((await created(again))["tickets"], TICKETS.tickets);
    assert.deepEqual(Object.keys(await created(await post(""))).toSorted(), SIX);
  });

  test("an order that comes to stand is answered at once, with its status and no tickets", async () => {
    ticketing.answer(422);
    const { status, ...rest } = await created(await post("?wait=30"));
    assert.deepEqual([status, Object.keys(rest).toSorted()], ["ticketing_blocked", SIX]);
  });

  test("too late: the 201 with the status as it is then, and a repeat waits again", async () => {
    const held: ServerResponse[] = [];
    ticketing.answer((response) => held.push(response));
    const key = { "idempotency-key": "slow" };
    const { status, ...rest } = await created(await post("?wait=1", key));
    assert.deepEqual([status, Object.keys(rest).toSorted()], ["ticketing_processing", SIX]);
    const { status: now } = await created(await post("?wait=0", key));
    assert.equal(now, "ticketing_processing");
    const repeat = post("?wait=30", key);
    held[0]!.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(TICKETS));
    assert.deepEqual((await created(await repeat))["tickets"], TICKETS.tickets);
  });

  test("a wait that is none is refused before anything is stored", async () => {
    const before = (await stored()).length;
    for (const query of ["31", "-1", "1.5", "1e1", "", "05", "abc", "99999999999", "1&wait=2"]) {
      const response = await post(`?wait=${query}`);
      assert.equal(response.status, 400, query);
      const { type, errors } = (await response.json()) as { type: string; errors: { pointer: string }[] };
      assert.deepEqual([type, errors[0]!.pointer], ["urn:wavegate:problem:invalid-query", "/wait"]);
    }
    assert.equal((await stored()).length, before);
  });

  test("the events of an order, byte for byte as they were sent, for its partner alone", async () => {
    const { id } = await created(await post("?wait=20"));
    await gateway.reach(Number(id), "ota_callback_delivered");
    const [event, ...others] = (await (await gateway.get(`/orders/${String(id)}/events`)).json()) as Record<
      string,
      unknown
    >[];
    assert.equal(others.length, 0);
    const { body } = partner.requests.at(-1)!;
    assert.equal(event!["body"], body);
    assert.equal((JSON.parse(body) as { event_id: string }).event_id, event!["event_id"]);
    const { occurred_at } = JSON.parse(body) as { occurred_at: string };
    assert.deepEqual(
      [event!["event"], event!["sequence"], event!["status"], event!["attempts"], event!["occurred_at"]],
      ["order.ticketed", 1, "succeeded", 1, occurred_at],
    );
    for (const path of ["/orders/999999/events", "/orders/x/events"]) {
      assert.equal((await gateway.get(path)).status, 404);
    }
    const { partners } = gateway.storage;
    const demo = (await partners.findMany(["demo"])).get("demo")!;
    await partners.add({ ...demo, id: "other" }, Date.now());
    const other = { ...PARTNER_HEADERS, "x-partner-id": "other" };
    assert.equal((await gateway.get(`/orders/${String(id)}/events`, other)).status, 404);
    assert.equal((await gateway.get(`/orders/${String(id)}/events`, {})).status, 401);
  });

  test("a client that goes away is forgotten, and a gateway that stops answers who waits", async () => {
    const held: ServerResponse[] = [];
    ticketing.answer((response) => held.push(response));
    const gateway = await runGateway(gatewayEnv(await kind.migratedUrl(), ticketing.url));
    const headers = { "content-type": "application/json", ...PARTNER_HEADERS };
    const leaving = request(`${gateway.url}/orders?wait=30`, { method: "POST", headers, agent: false });
    leaving.on("error", () => {}).end(JSON.stringify(orderBody(`${partner.url}/cb`)));
    await until("its attempt in flight", () => held.length === 1);
    leaving.destroy();
    const waiting = postTo(gateway.url!, "?wait=30");
    await until("the other's attempt in flight", () => held.length === 2);
    const stopped = gateway.stop();
    assert.equal((await created(await waiting))["status"], "ticketing_processing");
    for (const response of held) response.writeHead(200).end();
    await stopped;
  });
});

suite("POST /orders?wait with two processes on PostgreSQL", () => {
  test("what a worker settles is told by the process that took the order", async () => {
    const env = gatewayEnv(await POSTGRES.migratedUrl(), ticketing.url);
    const api = await spawnGateway({ ...env, ROLE: "api" });
    const worker = await spawnGateway({ ...env, ROLE: "worker" });
    const answers = await Promise.all([1, 2, 3].map(async () => created(await postTo(api.url, "?wait=30"))));
    for (const { tickets } of answers) assert.deepEqual(tickets, TICKETS.tickets);
    assert.equal(worker.log.filter(({ event }) => event === "ticketing.attempted").length, 3);
    for (const gateway of [api, worker]) assert.equal((await gateway.stop()).code, 0);
  });
});
