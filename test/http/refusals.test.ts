import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Overloaded } from "../../src/lib/combiner.ts";
import type { Readiness } from "../../src/http/routes/health.ts";
import type { AcceptResult } from "../../src/pipeline/accept.ts";
import { CommitUnknown, DatabaseUnavailable, RowLocked } from "../../src/storage/database.ts";
import { until } from "../support/gateway-process.ts";
import { DEMO, type Door, openDoor, ORDER } from "./door.ts";

let door: Door;
before(async () => {
  door = await openDoor({ trustedProxies: ["127.0.0.1"] });
});
after(() => door.close());

type Reply = Awaited<ReturnType<Door["get"]>>;

/** Asserts that the answer is a problem of RFC 9457 and gives it. */
function problemOf(reply: Reply, status: number, detail: string) {
  const problem = reply.json();
  assert.equal(reply.statusCode, status, reply.body);
  assert.equal(reply.headers["content-type"], "application/problem+json");
  assert.equal(problem.status, status);
  assert.match(problem.type, /^urn:wavegate:problem:[a-z-]+$/);
  assert.ok(problem.title.length > 0);
  assert.ok(problem.detail.startsWith(detail), problem.detail);
  return problem;
}

const WRONG = { ...DEMO, "x-partner-token": "wrong" };

test("an unknown partner, a wrong token, a disabled partner and missing headers get one answer", async () => {
  await door.addPartner({ id: "disabled" });
  await door.storage.partners.setDisabled("disabled", true, Date.now());
  const bodies = new Set<string>();
  for (const headers of [
    WRONG,
    { ...DEMO, "x-partner-id": "nobody" },
    { ...DEMO, "x-partner-id": "no\u0000body" },
    { ...DEMO, "x-partner-id": "n".repeat(500) },
    { ...DEMO, "x-partner-id": "disabled" },
    { ...DEMO, "x-partner-id": "" },
    { ...DEMO, "x-partner-id": ["demo", "demo"] },
    { ...DEMO, "x-partner-token": [DEMO["x-partner-token"], "wrong"] },
  ]) {
    const reply = await door.post({ headers });
    problemOf(reply, 401, "invalid partner");
    assert.ok(reply.headers["www-authenticate"]);
    bodies.add(reply.body);
  }
  bodies.add((await door.app.inject({ method: "POST", url: "/orders", payload: ORDER })).body);
  bodies.add((await door.app.inject("/orders")).body);
  assert.equal(bodies.size, 1);
});

test("the source address is held against the allowlist, behind trusted proxies too", async () => {
  await door.addPartner({ id: "listed", allowlistCidrs: ["198.51.100.0/24"] });
  const from = (forwarded: string) =>
    door.post({ headers: { ...DEMO, "x-partner-id": "listed", "x-forwarded-for": forwarded } });
  assert.equal((await from("198.51.100.7")).statusCode, 201);
  problemOf(await from("203.0.113.9"), 403, "source IP not allowlisted: 203.0.113.9");
  problemOf(await from("198.51.100.7, 203.0.113.9"), 403, "source IP not allowlisted");
  // Without an allowlist any address will do, but there must be one.
  problemOf(
    await door.post({ headers: { ...DEMO, "x-forwarded-for": "unknown" } }),
    403,
    "source IP not allowlisted",
  );
});

test("the checks come in SPEC's order", async () => {
  await door.addPartner({
    id: "ordered",
    allowlistCidrs: ["198.51.100.0/24"],
    rateCapacity: 1,
    ratePerSec: 0.001,
  });
  const bad = { payload: "{", url: "/orders" };
  const headers = (more: object) => ({ ...DEMO, "x-partner-id": "ordered", ...more });
  const inside = { "x-forwarded-for": "198.51.100.7" };
  const badType = { "content-type": "text/plain" };
  const badKey = { "idempotency-key": "a b" };
  const badUrl = { ...ORDER, callback_url: "http://10.0.0.1/" };

  problemOf(await door.post({ ...bad, headers: { ...WRONG, ...badType } }), 401, "invalid partner");
  problemOf(await door.post({ payload: "x".repeat(300_000), headers: WRONG }), 401, "invalid partner");
  problemOf(await door.post({ ...bad, headers: headers(badType) }), 403, "source IP not allowlisted");
  // None of these has spent the bucket's only token; this one does.
  problemOf(await door.post({ ...bad, headers: headers(inside) }), 400, "the body is not acceptable JSON");
  problemOf(await door.post({ ...bad, headers: headers({ ...inside, ...badType }) }), 429, "rate limited");

  problemOf(
    await door.post({ payload: { ...badUrl, items: [] }, headers: { ...DEMO, ...badKey } }),
    400,
    "the body is not a valid order",
  );
  problemOf(await door.post({ payload: badUrl, headers: { ...DEMO, ...badKey } }), 400, "Idempotency-Key");
  problemOf(await door.post({ payload: badUrl }), 400, "callback_url must be https/port 443/public: ");
});

test("an Idempotency-Key is 1 to 255 visible ASCII characters, once", async () => {
  for (const key of ["", '""', " ", "a b", "\u00e9", "k".repeat(256), ["a", "a"]]) {
    problemOf(
      await door.post({ headers: { ...DEMO, "idempotency-key": key } }),
      400,
      "Idempotency-Key must be",
    );
  }
  for (const key of ["k".repeat(255), `"${"q".repeat(255)}"`, '"', '"open']) {
    const reply = await door.post({ headers: { ...DEMO, "idempotency-key": key } });
    assert.equal(reply.statusCode, 201, key);
  }
});

test("callback_url: the rule that failed is told", async () => {
  for (const [url, reason] of [
    ["http://partner.example.com/", /https/],
    ["https://partner.example.com:8443/", /port/],
    ["https://internal.example.com/", /not public/],
    ["https://127.0.0.1/", /not public/],
    ["", /./],
  ] as const) {
    const { detail, errors } = problemOf(
      await door.post({ payload: { ...ORDER, callback_url: url } }),
      400,
      "callback_url must be https/port 443/public: ",
    );
    assert.equal(errors.length, 1);
    assert.equal(errors[0].pointer, "/callback_url");
    assert.match(errors[0].detail, reason);
    assert.ok(detail.endsWith(errors[0].detail));
  }
});

test("JSON outside section 3's rules is refused, with the place", async () => {
  const text = JSON.stringify(ORDER);
  for (const [payload, pointer] of [
    ["", ""],
    ["{", ""],
    [`\ufeff${text}`, ""],
    [Buffer.from([0x7b, 0xff, 0x7d]), ""],
    [text.replace("{", '{"buyer":{},'), "/buyer"],
    [text.replace("{", '{"__proto__":1,'), ""],
    [text.replace("{", '{"x":1e999,'), "/x"],
    [text.replace("{", '{"x":"\\ud800",'), "/x"],
    [text.replace("{", `{"x":${"[".repeat(40)}${"]".repeat(40)},`), "/x"],
  ] as const) {
    const { errors } = problemOf(await door.post({ payload }), 400, "the body is not acceptable JSON");
    assert.ok(errors[0].pointer.startsWith(pointer), errors[0].pointer);
    assert.ok(errors[0].detail.length > 0);
  }
});

test("a body that is no order is told why, at most twenty times", async () => {
  const { errors } = problemOf(
    await door.post({ payload: { items: [{ ...ORDER.items[0], qty: 0 }], buyer: 7 } }),
    400,
    "the body is not a valid order",
  );
  assert.deepEqual(errors.map((error: { pointer: string }) => error.pointer).sort(), [
    "/buyer",
    "/callback_url",
    "/external_order_id",
    "/items/0/qty",
  ]);
  const written = JSON.stringify(ORDER).replace('"qty":2', '"qty":2.0');
  const float = problemOf(await door.post({ payload: written }), 400, "the body is not a valid order");
  assert.deepEqual(
    float.errors.map((error: { pointer: string }) => error.pointer),
    ["/items/0/qty"],
  );
  const many = await door.post({ payload: { ...ORDER, items: Array.from({ length: 400 }, () => ({})) } });
  assert.equal(problemOf(many, 400, "the body is not a valid order").errors.length, 20);
  problemOf(await door.post({ payload: "[]" }), 400, "the body is not a valid order");
});

test("only application/json in UTF-8 is taken, without an encoding", async () => {
  const payload = JSON.stringify(ORDER);
  for (const type of [
    "application/json",
    "Application/JSON",
    "application/json; charset=utf-8",
    'application/json;charset="UTF-8"',
  ]) {
    const reply = await door.post({ payload, headers: { ...DEMO, "content-type": type } });
    assert.equal(reply.statusCode, 201, type);
  }
  for (const type of [
    "text/plain",
    "application/json; charset=latin1",
    "application/json; charset=utf-8; q=1",
    "application/jsonp",
    "application/problem+json",
    "application/x-www-form-urlencoded",
    "json",
    "",
  ]) {
    const reply = await door.post({ payload, headers: { ...DEMO, "content-type": type } });
    problemOf(reply, 415, "the body must be application/json");
  }
  for (const encoding of ["gzip", "identity, gzip", "br"]) {
    const reply = await door.post({ payload, headers: { ...DEMO, "content-encoding": encoding } });
    problemOf(reply, 415, "the body must be application/json");
  }
  const untouched = await door.post({ payload, headers: { ...DEMO, "content-encoding": "identity" } });
  assert.equal(untouched.statusCode, 201);
  problemOf(
    await door.app.inject({ method: "POST", url: "/orders", headers: DEMO }),
    415,
    "the body must be application/json",
  );
});

test("256 KiB are taken, one byte more is not", async () => {
  const empty = JSON.stringify({ ...ORDER, padding: "" }).length;
  const sized = (bytes: number) => ({ payload: { ...ORDER, padding: "x".repeat(bytes - empty) } });
  assert.equal((await door.post(sized(256 * 1024))).statusCode, 201);
  problemOf(await door.post(sized(256 * 1024 + 1)), 413, "the body is larger than 256 KiB");
});

test("query parameters that are unknown, malformed or repeated are refused", async () => {
  for (const [query, pointer] of [
    ["limit=0", "/limit"],
    ["limit=201", "/limit"],
    ["limit=1.5", "/limit"],
    ["limit=", "/limit"],
    ["limit=1&limit=2", "/limit"],
    ["before=0", "/before"],
    ["before=9007199254740992", "/before"],
    ["status=lost", "/status"],
    ["external_order_id=%00", "/external_order_id"],
    [`external_order_id=${"x".repeat(129)}`, "/external_order_id"],
    ["stauts=accepted", "/stauts"],
    ["a~/b=1", "/a~0~1b"],
    ["__proto__=1", "/__proto__"],
    ["toString=1", "/toString"],
  ] as const) {
    const reply = await door.get(`/orders?${query}`);
    const { errors } = problemOf(reply, 400, "the query parameters are not valid");
    assert.deepEqual(
      errors.map((error: { pointer: string }) => error.pointer),
      [pointer],
    );
  }
});

test("unknown paths are 404 whatever they carry, known ones 405 with Allow", async () => {
  const payload = "x";
  problemOf(await door.app.inject({ method: "POST", url: "/nothing", payload }), 404, "not found");
  problemOf(await door.get("/orders/"), 404, "not found");
  problemOf(await door.app.inject("/orders/1/2"), 404, "not found");
  for (const [method, url, allow] of [
    ["DELETE", "/orders", "GET, HEAD, POST"],
    ["PUT", "/orders/1", "GET, HEAD"],
    ["POST", "/health", "GET, HEAD"],
    ["OPTIONS", "/ready", "GET, HEAD"],
    // None that Fastify routes by itself.
    ["PURGE", "/orders", "GET, HEAD, POST"],
    ["M-SEARCH", "/orders/1", "GET, HEAD"],
  ] as const) {
    const reply = await door.app.inject({ method, url, payload });
    problemOf(reply, 405, "method not allowed");
    assert.equal(reply.headers["allow"], allow);
  }
});

test("health asks for nothing; ready tells what was looked at", async () => {
  const health = await door.app.inject("/health");
  assert.deepEqual([health.statusCode, health.json()], [200, { status: "ok" }]);
  const head = await door.app.inject({ method: "HEAD", url: "/health" });
  assert.deepEqual([head.statusCode, head.body], [200, ""]);
  const ready = await door.app.inject("/ready");
  assert.deepEqual([ready.statusCode, ready.json()], [200, { status: "ready", checks: { database: "ok" } }]);
  const broken = await openDoor({
    readiness: async () => ({ ready: false, checks: { database: "unreachable" } }),
  });
  const not = await broken.app.inject("/ready");
  assert.deepEqual([not.statusCode, not.json().checks], [503, { database: "unreachable" }]);
  assert.equal(not.headers["retry-after"], "1");
  await broken.close();
});

test("a thousand probes wait for one look, and more are told at once", async () => {
  const looks: PromiseWithResolvers<Readiness>[] = [];
  const hanging = await openDoor({
    readiness: () => {
      looks.push(Promise.withResolvers<Readiness>());
      return looks.at(-1)!.promise;
    },
  });
  const ask = (count: number) =>
    Promise.all(Array.from({ length: count }, () => hanging.app.inject("/ready")));
  const waiting = ask(1000);
  for (const reply of await ask(200)) {
    assert.deepEqual([reply.statusCode, reply.headers["retry-after"]], [503, "1"]);
    assert.equal(reply.json().status, "not_ready");
  }
  looks[0]!.resolve({ ready: true, checks: {} });
  for (const reply of await waiting) assert.equal(reply.statusCode, 200);
  const again = ask(1);
  await until("the second look", () => looks[1]);
  looks[1]!.resolve({ ready: true, checks: {} });
  for (const reply of await again) assert.equal(reply.statusCode, 200);
  await hanging.close();
});

test("every answer carries the security headers", async () => {
  for (const reply of [
    await door.app.inject("/health"),
    await door.app.inject("/nothing"),
    await door.app.inject("/orders/%zz"),
    await door.post({ headers: WRONG }),
    await door.post(),
  ]) {
    assert.equal(reply.headers["x-content-type-options"], "nosniff");
    assert.equal(reply.headers["cache-control"], "no-store");
    assert.match(String(reply.headers["content-security-policy"]), /default-src 'none'/);
    assert.equal(reply.headers["referrer-policy"], "no-referrer");
    assert.equal(reply.headers["x-powered-by"], undefined);
    assert.equal(reply.headers["server"], undefined);
  }
});

test("what the database or a bug says stays inside", async () => {
  const failing = async (error: unknown) => {
    const accept = async () => {
      throw error;
    };
    const broken = await openDoor({ accept });
    const reply = await broken.post();
    await broken.close();
    return { reply, logged: broken.events.filter(({ event }) => event === "http.failed") };
  };
  const unavailable = "the gateway can't take the request at the moment: ";
  for (const [error, status, detail] of [
    [new DatabaseUnavailable("secret"), 503, `${unavailable}nothing was accepted`],
    [new Overloaded("secret"), 503, `${unavailable}nothing was accepted`],
    [new RowLocked("secret"), 503, `${unavailable}nothing was accepted`],
    [new CommitUnknown("secret"), 503, `${unavailable}send it again with its Idempotency-Key`],
    [new Error("secret"), 500, "the gateway made a mistake: tell the operator error_reference "],
    ["secret", 500, "the gateway made a mistake"],
  ] as const) {
    const { reply, logged } = await failing(error);
    const { error_reference } = problemOf(reply, status, detail);
    assert.equal(reply.headers["retry-after"], status === 503 ? "1" : undefined);
    assert.doesNotMatch(reply.body, /secret|at .*\.ts/);
    assert.match(error_reference, /^[0-9a-f-]{36}$/);
    assert.deepEqual(
      logged.map((event) => [event["error_reference"], event["err"]]),
      [[error_reference, error]],
    );
  }
});

test("a key whose first request is undecided: come again in a second", async () => {
  const undecided: AcceptResult = { kind: "undecided" };
  const waiting = await openDoor({ accept: async () => undecided });
  const reply = await waiting.post({ headers: { ...DEMO, "idempotency-key": "k" } });
  problemOf(reply, 409, "another request with this Idempotency-Key");
  assert.equal(reply.headers["retry-after"], "1");
  await waiting.close();
});
