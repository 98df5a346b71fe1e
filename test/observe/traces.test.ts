import assert from "node:assert/strict";
import { after, suite, test, type TestContext } from "node:test";
import { rootSpanId, traceIdOf } from "../../src/lib/trace-context.ts";
import type { LogEvent } from "../../src/observe/log.ts";
import { type Span, spansOf } from "../../src/observe/traces-spans.ts";
import { createTraces } from "../../src/observe/traces.ts";
import type { WorkEventOf } from "../../src/observe/work-events.ts";
import { POSTGRES, SQLITE, openUrl } from "../support/databases.ts";
import { gatewayEnv, PARTNER_HEADERS, type RunningGateway, runGateway } from "../support/gateway.ts";
import { spawnGateway, until } from "../support/gateway-process.ts";
import { type Collector, type ReceivedSpan, startCollector } from "../support/otlp.ts";
import { freePort } from "../support/postgres.ts";
import { json, type Recorder, type Reply, startRecorder } from "../support/recorder.ts";
import { orderBody } from "../support/way.ts";
import { heardBy } from "../support/log.ts";

const HANG: Reply = () => {};
const SECRETS = {
  partner: "a-partners-own-token",
  operator: "an-operators-own-token",
  ticketing: "Bearer what-ticketing-asks-for",
  signing: "what-callbacks-are-signed-with",
  query: "what-a-callback-url-may-hide",
  buyer: "Quillfeather",
};
const CALLER = { traceId: "4bf92f3577b34da6a3ce929d0e0e4736", spanId: "00f067aa0ba902b7" };

interface Created {
  readonly id: number;
  readonly trace_id: string;
}

suite("the trace of an order", () => {
  const ends: (() => Promise<unknown>)[] = [];
  after(async () => {
    for (const end of ends.toReversed()) await end();
  });
  const kept = <T extends { close(): Promise<unknown> }>(each: T): T => {
    ends.push(() => each.close());
    return each;
  };

  /** At the latest: a test that fails must not keep the process. */
  function stoppedAtTheEnd(gateway: RunningGateway): () => Promise<void> {
    let stopped: Promise<void> | null = null;
    const stop = (): Promise<void> => (stopped ??= gateway.stop());
    ends.push(stop);
    return stop;
  }

  test("is one, over processes that accept, die, take over, and repeat long after", async () => {
    const collector = kept(await startCollector());
    const ticketing = kept(await startRecorder(HANG, 500, json(200, { reference: "R-1", tickets: ["A1"] })));
    const partner = kept(await startRecorder(503, 200));
    const database = await POSTGRES.createUrl();
    const env = {
      ...gatewayEnv(database, ticketing.url),
      RETRY_SCHEDULE_SECS: "0,0.1,0.2",
      PARTNERS_JSON: JSON.stringify([{ id: "demo", name: "Demo", token: SECRETS.partner }]),
      OPERATORS_JSON: JSON.stringify([{ name: "kim", token: SECRETS.operator, role: "operator" }]),
      TICKETING_AUTHORIZATION: SECRETS.ticketing,
      CALLBACK_SIGNING_SECRET: SECRETS.signing,
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    };
    const api = await runGateway({ ...env, ROLE: "api" });
    const stop = stoppedAtTheEnd(api);
    const credentials = { "x-partner-id": "demo", "x-partner-token": SECRETS.partner };
    const operator = { authorization: `Bearer ${SECRETS.operator}` };
    const body = orderBody(`${partner.url}/cb?key=${SECRETS.query}`, { buyer: { name: SECRETS.buyer } });
    const traceparent = `00-${CALLER.traceId}-${CALLER.spanId}-01`;
    const post = async (): Promise<Created> =>
      (await (
        await api.post(body, { ...credentials, "idempotency-key": "k", traceparent })
      ).json()) as Created;

    const order = await post();
    const doomed = await spawnGateway({ ...env, ROLE: "worker" });
    await until("the first attempt", () => ticketing.requests.length === 1);
    await doomed.kill();
    await endLeases(database);
    const worker = await spawnGateway({ ...env, ROLE: "worker", OTEL_SERVICE_NAME: "tickets" });
    const reach = (tries: number) =>
      until(`${tries} callbacks`, async () => {
        const shown = await (await api.get(`/orders/${order.id}`, operator)).json();
        const { status, ota_callback_job: job } = shown as {
          status: string;
          ota_callback_job: { attempts: unknown[] } | null;
        };
        return status === "ota_callback_delivered" && job?.attempts.length === tries;
      });
    await reach(2);
    assert.deepEqual(await post(), order, "the first answer again");
    const resent = await fetch(`${api.url}/admin/orders/${order.id}/resend`, {
      method: "POST",
      headers: { ...operator, "content-type": "application/json" },
      body: JSON.stringify({ reason: "the partner has lost it" }),
    });
    assert.equal(resent.status, 200);
    await reach(3);
    const { spans } = collector;
    const named = (name: string) => spans.filter((span) => span.name === name);
    await until("their spans", () => named("settle").length === 5 && named("POST /orders").length === 2);
    await worker.stop();
    await stop();

    assertConnected(spans, order.trace_id);
    const [root, repeat] = named("POST /orders").toSorted((a) => (a.parentId === "" ? -1 : 1));
    assert.equal(root?.kind, "server");
    assert.deepEqual(root?.links, [CALLER]);
    assert.equal(root?.attributes["http.route"], "/orders");
    assert.equal(root?.attributes["http.response.status_code"], 201);
    assert.equal(repeat?.attributes["wavegate.replayed"], true);
    assert.equal(named("accept").length, 1);
    assert.equal(named("commit")[0]?.parentId, named("accept")[0]?.spanId);
    assert.equal(named("commit")[0]?.attributes["db.system.name"], "postgresql");
    assert.equal(named("POST /admin/orders/:id/resend").length, 1);

    const attempts = (leg: string) =>
      named(`POST ${leg}`).toSorted(
        (a, b) => numberIn(a, "wavegate.attempt") - numberIn(b, "wavegate.attempt"),
      );
    const outcomes = (leg: string) => attempts(leg).map(({ attributes }) => attributes["wavegate.outcome"]);
    assert.deepEqual(outcomes("ticketing"), ["lost", "retry", "done"]);
    assert.deepEqual(outcomes("callback"), ["retry", "done", "done"]);
    assert.deepEqual(attempts("ticketing").map(idOf), ticketing.requests.map(idSent));
    assert.deepEqual(attempts("callback").map(idOf), partner.requests.map(idSent));
    const [lost, retried, done] = attempts("ticketing");
    assert.ok(lost?.failed && retried?.failed && !done?.failed);
    assert.equal(lost?.attributes["error.type"], "lost");
    assert.equal(retried?.attributes["error.type"], "500");
    assert.equal(retried?.attributes["http.response.status_code"], 500);
    assert.equal(retried?.attributes["server.port"], Number(new URL(ticketing.url).port));
    assert.equal(attempts("callback")[0]?.attributes["url.path"], "/cb");
    assert.deepEqual(retried?.events, ["first byte"]);
    const below = (span: ReceivedSpan | undefined) =>
      spans.filter(({ parentId }) => parentId === span?.spanId).map(({ name }) => name);
    assert.deepEqual(below(retried), ["connect", "settle"]);
    assert.deepEqual(below(done), ["settle"], "the connection was kept");

    const senders = new Map(spans.map(({ resource }) => [resource["process.pid"], resource]));
    assert.deepEqual(new Set(senders.keys()), new Set([process.pid, worker.pid]));
    assert.equal(senders.get(process.pid)?.["service.name"], "wavegate");
    assert.equal(senders.get(worker.pid)?.["service.name"], "tickets", "what the environment says");
    for (const [name, secret] of Object.entries(SECRETS))
      for (const text of [secret, Buffer.from(secret).toString("base64")])
        assert.ok(!collector.bodies.some((bytes) => bytes.includes(text)), name);
  });

  /** An order whose client hangs up while it waits for its tickets. @returns its trace id */
  async function orderOfOneWhoWent(url: string, sent: () => boolean): Promise<string> {
    let answerTicketing = (): void => {};
    const held: Reply = (response) => (answerTicketing = () => response.writeHead(200).end());
    const ticketing = kept(await startRecorder(held));
    const partner = kept(await startRecorder());
    const env = gatewayEnv(await SQLITE.createUrl(), ticketing.url);
    const gateway = await runGateway({ ...env, OTEL_EXPORTER_OTLP_ENDPOINT: url });
    const stop = stoppedAtTheEnd(gateway);
    const gone = new AbortController();
    const asked = fetch(`${gateway.url}/orders?wait=20`, {
      method: "POST",
      headers: { "content-type": "application/json", ...PARTNER_HEADERS },
      body: JSON.stringify(orderBody(`${partner.url}/cb`)),
      signal: gone.signal,
    });
    await until("the attempt", () => ticketing.requests.length === 1);
    gone.abort();
    await assert.rejects(asked);
    answerTicketing();
    await gateway.reach(1, "ota_callback_delivered");
    await until("what is sent", sent);
    await stop();
    return String(ticketing.requests[0]?.headers["x-trace-id"]);
  }

  test("has its root also when the client went before the answer", async () => {
    const { url, spans } = kept(await startCollector());
    const settled = (): number => spans.filter(({ name }) => name === "settle").length;
    const root = () => spans.find(({ parentId }) => parentId === "");
    const trace = await orderOfOneWhoWent(url, () => settled() === 2 && root() !== undefined);
    assertConnected(spans, trace);
    assert.equal(root()?.attributes["http.response.status_code"], 499);
    assert.equal(spans.find(({ name }) => name === "settle")?.attributes["db.system.name"], "sqlite");
  });

  test("is nobody's where OpenTelemetry is switched off", async () => {
    const { url, bodies } = kept(await startCollector());
    const ticketing = kept(await startRecorder());
    const partner = kept(await startRecorder());
    const env = gatewayEnv(await SQLITE.createUrl(), ticketing.url);
    const off = { OTEL_EXPORTER_OTLP_ENDPOINT: url, OTEL_SDK_DISABLED: "true" };
    const gateway = await runGateway({ ...env, ...off });
    const stop = stoppedAtTheEnd(gateway);
    await gateway.post(orderBody(`${partner.url}/cb`));
    await gateway.reach(1, "ota_callback_delivered");
    await stop();
    assert.equal(bodies.length, 0);
  });

  test("holds nothing up when the collector hangs", async () => {
    const hanging = kept(await startCollector(() => {}));
    await orderOfOneWhoWent(hanging.url, () => hanging.spans.length > 0);
  });
});

suite("the spans of an attempt", () => {
  const trace = "0195a3c2-7f4e-7a10-9c3b-2f6e8d1a4b5c";
  const event: WorkEventOf<"callback.attempted"> = {
    event: "callback.attempted",
    trace_id: trace,
    order_id: 7,
    partner_id: "demo",
    attempt: 2,
    outcome: "retry",
    code: null,
    error: "timeout",
    duration_ms: 60,
    span_id: "00f067aa0ba902b7",
    url: "https://[2001:db8::1]/cb",
    waited_ms: 10,
    dns_ms: 20.5,
    connect_ms: 30,
    tls_ms: null,
    first_byte_ms: null,
    settle_ms: 5,
    settled: "settled",
    job: "pending",
  };
  const seen = { trace, endMs: 1_000, database: "sqlite" };
  const shown = (spans: Span[]) =>
    spans.map(({ name, startMs, endMs }) => [name, startMs, endMs] as const).slice(0, 5);

  test("lie one after another, up to the commit", () => {
    const [attempt, ...rest] = spansOf(event, seen);
    assert.deepEqual(shown([attempt!, ...rest]), [
      ["POST callback", 934.5, 995],
      ["wait for a connection", 934.5, 944.5],
      ["dns", 944.5, 965],
      ["connect", 965, 995],
      ["settle", 995, 1_000],
    ]);
    assert.ok(rest.every(({ parentId }) => parentId === event.span_id));
    const { attributes, failed, kind } = attempt!;
    assert.deepEqual([failed, kind, attributes["error.type"]], [true, "client", "timeout"]);
    assert.deepEqual(
      [attributes["server.address"], attributes["server.port"], attributes["url.path"]],
      ["2001:db8::1", 443, "/cb"],
    );
  });

  test("a late result hangs below the attempt that was found lost", () => {
    const [late] = spansOf({ ...event, settled: "late" }, seen);
    assert.equal(late?.parentId, event.span_id);
    assert.notEqual(late?.spanId, event.span_id);
  });

  test("nothing was sent: no client's span, and nobody was called", () => {
    const refused = { ...event, outcome: "blocked", error: "guard", span_id: null, url: null };
    const [attempt] = spansOf(refused, seen);
    assert.deepEqual(
      [attempt?.name, attempt?.kind, attempt?.parentId],
      ["callback", "internal", rootSpanId(trace)],
    );
    assert.equal(attempt?.attributes["server.address"], undefined);
    assert.equal(attempt?.attributes["error.type"], "guard");
  });
});

/** One root, by the rule; every other span's parent is among them; no id is there twice. */
function assertConnected(spans: readonly ReceivedSpan[], trace: string): void {
  const ids = new Set(spans.map(idOf));
  assert.ok(spans.length > 0 && ids.size === spans.length);
  assert.deepEqual([...new Set(spans.map(({ traceId }) => traceId))], [traceIdOf(trace)]);
  assert.deepEqual(spans.filter(({ parentId }) => parentId === "").map(idOf), [rootSpanId(trace)]);
  for (const { name, parentId } of spans) assert.ok(parentId === "" || ids.has(parentId), name);
}

const idOf = ({ spanId }: ReceivedSpan): string => spanId;
const idSent = ({ headers }: Recorder["requests"][number]) => String(headers["traceparent"]).split("-")[2];
const numberIn = ({ attributes }: ReceivedSpan, name: string): number => Number(attributes[name]);

/** As if the time had passed. */
async function endLeases(url: string): Promise<void> {
  const storage = openUrl(url);
  await storage.database.run("update ticketing_jobs set lease_until = 1 where lease_until is not null", []);
  await storage.close();
}

suite("a collector that fails costs spans alone", () => {
  /** One span. */
  const acted = (n: number): LogEvent => ({
    event: "operator.acted",
    trace_id: `0195a3c2-7f4e-7a10-9c3b-${String(n).padStart(12, "0")}`,
    operator: "kim",
    action: "POST /x",
    status: 200,
    duration_ms: 1,
  });

  function tracing(t: TestContext, endpoint: string) {
    const told: LogEvent[] = [];
    const keep = (event: LogEvent): void => void told.push(event);
    const log = heardBy(keep);
    const traces = createTraces({ endpoint, database: "sqlite", role: "all", log });
    t.after(() => traces.close());
    const lost = (): number =>
      told.filter(({ event }) => event === "traces.lost").reduce((sum, { lost }) => sum + Number(lost), 0);
    return { ...traces, told, lost };
  }

  async function collecting(
    t: TestContext,
    ...answer: Parameters<typeof startCollector>
  ): Promise<Collector> {
    const collector = await startCollector(...answer);
    t.after(() => collector.close());
    return collector;
  }

  test("what it refuses, or can't be sent to it, is counted and told", async (t) => {
    process.env["OTEL_EXPORTER_OTLP_TIMEOUT"] = "200";
    process.env["OTEL_EXPORTER_OTLP_HEADERS"] = "x-key=abc";
    t.after(() => {
      delete process.env["OTEL_EXPORTER_OTLP_TIMEOUT"];
      delete process.env["OTEL_EXPORTER_OTLP_HEADERS"];
    });
    const refusing = await collecting(t, (response) => response.writeHead(400).end("what you sent"));
    for (const endpoint of [refusing.url, `http://127.0.0.1:${await freePort()}`]) {
      const { observe, close, lost, told } = tracing(t, endpoint);
      for (let n = 0; n < 3; n += 1) observe(acted(n));
      if (endpoint === refusing.url) await until("them to arrive", () => refusing.spans.length === 3);
      await close();
      assert.equal(lost(), 3, endpoint);
      assert.doesNotMatch(JSON.stringify(told), /what you sent/);
    }
    assert.equal(refusing.headers()["x-key"], "abc", "the SDK's own variables hold");
  });

  test("an answer that is no OTLP is none of our business", async (t) => {
    const babbling = await collecting(t, (response) => response.writeHead(200).end(Buffer.alloc(100, 0xff)));
    const { observe, close, told } = tracing(t, `${babbling.url}/`);
    observe(acted(1));
    await until("it to arrive", () => babbling.spans.length === 1);
    await close();
    assert.deepEqual(told, []);
  });

  test("what comes faster than it is taken is lost beyond a bound, and the end doesn't wait: all is counted", async (t) => {
    const hanging = await collecting(t, () => {});
    const { observe, close, lost, told } = tracing(t, hanging.url);
    for (let n = 0; n < 20_000; n += 1) observe(acted(n));
    await close();
    assert.equal(lost(), 20_000);
    assert.deepEqual([...new Set(told.map(({ event }) => event))], ["traces.lost"]);
  });

  test("a thread that ends is told of, and nothing else", async (t) => {
    const collector = await collecting(t);
    const { observe, close, told } = tracing(t, collector.url);
    observe({ ...acted(1), event: "ticketing.attempted", span_id: "1", url: "no URL" });
    await until("its end", () => told.some(({ event }) => event === "traces.ended"));
    observe(acted(2));
    await close();
    assert.deepEqual(collector.spans, []);
  });
});
