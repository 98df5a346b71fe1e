import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { suite, test, type TestContext } from "node:test";
import type { LightMyRequestResponse } from "fastify";
import { type Clock, systemClock } from "../../src/lib/clock.ts";
import { onEachDatabase } from "../support/databases.ts";
import { addOperator, credentials, DEMO, type Door, openDoor } from "./door.ts";

async function authEvents({ storage }: Door) {
  const columns = ["partner_id", "reason", "ip", "user_agent", "count"] as const;
  const rows = await storage.database.queries
    .selectFrom("auth_events")
    .select(columns)
    .orderBy((eb) => eb.fn.coalesce("ip", eb.val("")))
    .orderBy("partner_id")
    .execute();
  // Rows of SQLite have no prototype.
  return rows.map((row) => Object.assign({}, row));
}

const isClosing = ({ headers }: LightMyRequestResponse) => headers.connection === "close";

/** Asks over one connection, for as long as it lasts. */
function clientOf(t: TestContext, { app }: Door, localAddress = "127.0.0.1") {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  const { port } = app.server.address() as AddressInfo;
  const sockets = new Set<unknown>();
  return {
    connections: () => sockets.size,
    async ask(headers: Record<string, string>) {
      const asked = request({ agent, host: "127.0.0.1", port, path: "/orders", localAddress, headers });
      asked.on("socket", (socket) => sockets.add(socket)).end();
      const [response] = (await once(asked, "response")) as [IncomingMessage];
      const body = await text(response);
      return { status: response.statusCode, connection: response.headers.connection, body };
    },
  };
}

onEachDatabase("partners and operators", (kind) => {
  test("a rotated token holds beside the new one until its time is up", async () => {
    let nowMs = Date.now();
    const clock: Clock = { ...systemClock, wallMs: () => nowMs };
    const door = await openDoor({ kind, clock });
    const statusWith = async (token: string) =>
      (await door.get("/orders", { ...DEMO, "x-partner-token": token })).statusCode;
    await door.storage.partners.rotateToken("demo", credentials.digest("new"), nowMs + 1000, nowMs);
    assert.deepEqual([await statusWith("new"), await statusWith("demotoken")], [200, 200]);
    nowMs += 1000;
    assert.deepEqual([await statusWith("new"), await statusWith("demotoken")], [200, 401]);
    await door.close();
  });

  test("so does an operator's", async () => {
    let nowMs = Date.now();
    const clock: Clock = { ...systemClock, wallMs: () => nowMs };
    const door = await openDoor({ kind, clock });
    const old = await addOperator(door, "olga");
    const statusWith = async (authorization: string) =>
      (await door.get("/orders", { authorization })).statusCode;
    await door.storage.operators.rotateToken("olga", credentials.digest("new"), nowMs + 1000);
    assert.deepEqual([await statusWith("Bearer new"), await statusWith(old.authorization)], [200, 200]);
    nowMs += 1000;
    assert.deepEqual([await statusWith("Bearer new"), await statusWith(old.authorization)], [200, 401]);
    await door.storage.operators.setDisabled("olga", true, nowMs);
    assert.equal(await statusWith("Bearer new"), 401);
    await door.close();
  });

  test("a disabled partner is out at once, and back at once", async () => {
    const door = await openDoor({ kind });
    await door.storage.partners.setDisabled("demo", true, Date.now());
    assert.equal((await door.post()).statusCode, 401);
    await door.storage.partners.setDisabled("demo", false, Date.now());
    assert.equal((await door.post()).statusCode, 201);
    await door.close();
  });

  test("a bearer token opens reads alone, and only as it should be", async () => {
    const door = await openDoor({ kind });
    const bearer = await addOperator(door, "olga");
    const made = await addOperator(door, "devi", { development: true });
    const status = async (headers: Record<string, string | string[]>) =>
      (await door.get("/orders", headers)).statusCode;
    assert.equal(await status(bearer), 200);
    assert.equal(await status({ authorization: bearer.authorization.replace("Bearer", "bearer") }), 200);
    assert.equal(await status(made), 401, "a development operator does not exist in production");
    for (const authorization of ["Bearer wrong", "Bearer", "Basic b2xnYTo=", `${bearer.authorization} x`]) {
      assert.equal(await status({ authorization }), 401, authorization);
    }
    assert.equal(await status({ authorization: [bearer.authorization, "Bearer wrong"] }), 401);
    assert.equal(await status({ ...bearer, ...DEMO, "x-partner-token": "wrong" }), 401);
    const posted = await door.app.inject({ method: "POST", url: "/orders", headers: bearer, payload: {} });
    assert.equal(posted.statusCode, 401);
    await door.close();
  });

  test("failures are counted by partner, reason and address, and written at the latest at close", async () => {
    const door = await openDoor({ kind });
    const { app, storage } = door;
    await door.addPartner({ id: "listed", allowlistCidrs: ["198.51.100.0/24"] });
    const knock = (headers: Record<string, string>, remoteAddress = "192.0.2.1") =>
      app.inject({ url: "/orders", headers: { "user-agent": "curl\u0007/8", ...headers }, remoteAddress });
    for (let count = 0; count < 3; count += 1) await knock({ ...DEMO, "x-partner-token": "wrong" });
    await knock({ ...DEMO, "x-partner-token": "wrong" }, "192.0.2.2");
    await knock({ "x-partner-id": `\u0000${"n".repeat(100)}`, "x-partner-token": "t" });
    await knock({});
    await knock({ ...DEMO, "x-partner-id": "listed" });
    const logged = door.events.filter(({ event }) => event === "auth.failed");
    assert.equal(logged.length, 5, "one line for each row");
    await app.close();
    const user_agent = "curl?/8";
    const ip = "192.0.2.1";
    const rows = await authEvents(door);
    assert.deepEqual(
      new Set(rows.map((row) => JSON.stringify(row))),
      new Set(
        [
          { partner_id: "demo", reason: "wrong_token", ip, user_agent, count: 3 },
          { partner_id: "demo", reason: "wrong_token", ip: "192.0.2.2", user_agent, count: 1 },
          { partner_id: `?${"n".repeat(63)}`, reason: "unknown_partner", ip, user_agent, count: 1 },
          { partner_id: "", reason: "missing_credentials", ip, user_agent, count: 1 },
          { partner_id: "listed", reason: "ip_not_allowed", ip, user_agent, count: 1 },
        ].map((row) => JSON.stringify(row)),
      ),
    );
    await storage.close();
  });
});

suite("auth failures", () => {
  test("a flood opens a thousand rows; the rest of the minute is summed up", async () => {
    const clock: Clock = { ...systemClock, wallMs: () => 1_800_000_000_000 };
    const door = await openDoor({ clock });
    const headers = { ...DEMO, "x-partner-token": "wrong" };
    const replies = await Promise.all(
      Array.from({ length: 1010 }, (_, index) =>
        door.app.inject({
          url: "/orders",
          headers,
          remoteAddress: `198.18.${index >> 8}.${index & 255}`,
        }),
      ),
    );
    assert.equal(replies.filter(isClosing).length, 10, "no more addresses are counted than rows are opened");
    const right = await door.app.inject({ url: "/orders", headers: DEMO, remoteAddress: "198.18.3.255" });
    assert.deepEqual([right.statusCode, isClosing(right)], [200, false]);
    await door.app.close();
    const rows = await authEvents(door);
    assert.equal(rows.length, 1001);
    assert.deepEqual(rows[0], {
      partner_id: "*",
      reason: "wrong_token",
      ip: null,
      user_agent: null,
      count: 10,
    });
    await door.storage.close();
  });

  test("one address opens twenty rows, however it spells itself; the others' failures stay visible", async () => {
    const clock: Clock = { ...systemClock, wallMs: () => 1_800_000_000_000 };
    const door = await openDoor({ clock });
    const knock = (id: string, remoteAddress: string) =>
      door.app.inject({ url: "/orders", headers: { ...DEMO, "x-partner-id": id }, remoteAddress });
    for (let count = 0; count < 30; count += 1) {
      await knock(`four-${count}`, "192.0.2.1");
      await knock(`six-${count}`, `2001:db8:0:7::${count.toString(16)}`);
    }
    await knock("another", "192.0.2.2");
    await knock("another", "2001:db8:0:8::1");
    assert.equal((await knock("demo", "192.0.2.1")).statusCode, 200, "a right token always passes");
    await door.app.close();
    const rows = await authEvents(door);
    assert.equal(rows.length, 2 * 20 + 2 + 2);
    assert.deepEqual(
      rows.filter(({ partner_id }) => partner_id === "*").map(({ ip, count }) => [ip, count]),
      [
        ["192.0.2.1", 10],
        ["2001:db8:0:7::/64", 10],
      ],
    );
    assert.equal(door.events.filter(({ event }) => event === "auth.failed").length, rows.length);
    await door.storage.close();
  });

  test("a minute's counts are added up, by every process that has some", async () => {
    const door = await openDoor();
    const { authEvents: events } = door.storage;
    const row = { partnerId: "p", reason: "wrong_token", userAgent: null, minute: 60_000, count: 2 } as const;
    await events.write([
      { ...row, ip: null, lastAt: 61_000 },
      { ...row, ip: "192.0.2.1", lastAt: 61_000 },
    ]);
    await events.write([{ ...row, ip: null, lastAt: 62_000 }]);
    const counts = async () => (await authEvents(door)).map(({ ip, count }) => [ip, count]);
    assert.deepEqual(await counts(), [
      [null, 4],
      ["192.0.2.1", 2],
    ]);
    await events.write([{ ...row, minute: 120_000, ip: null, lastAt: 121_000 }]);
    assert.equal(await events.prune(120_000, 1), 1, "no more than the limit");
    assert.equal(await events.prune(120_000, 10), 1);
    assert.equal(await events.prune(120_000, 10), 0);
    assert.deepEqual(await counts(), [[null, 2]]);
    await door.close();
  });

  test("whoever knocks in vain costs the same work, known or not, rotating or not", async () => {
    const compared: string[] = [];
    const matches = (token: string, digest: string) => {
      compared.push(digest.split(":")[0]!);
      return credentials.matches(token, digest);
    };
    const door = await openDoor({ credentials: { ...credentials, matches } });
    await door.addPartner({ id: "rotating" });
    await door.storage.partners.rotateToken("rotating", credentials.digest("new"), Date.now() + 60_000, 0);
    await door.addPartner({ id: "disabled" });
    await door.storage.partners.setDisabled("disabled", true, 0);
    for (const id of ["nobody", "demo", "rotating", "disabled", "no id \u00e9"]) {
      compared.length = 0;
      const reply = await door.get("/orders", { "x-partner-id": id, "x-partner-token": "wrong" });
      assert.deepEqual([reply.statusCode, compared], [401, ["hmac-sha256", "hmac-sha256"]], id);
    }
    await door.close();
  });

  test("a database that fails costs the count alone", async () => {
    const door = await openDoor({
      authEvents: { write: () => Promise.reject(new Error("the disk is full")) },
    });
    assert.equal((await door.get("/orders", {})).statusCode, 401);
    await door.app.close();
    assert.equal(door.events.at(-1)?.event, "auth_events.lost");
    await door.storage.close();
  });
});

suite("the throttle of failures", () => {
  const WRONG = { ...DEMO, "x-partner-token": "wrong" };

  test("beyond its budget an address is told the same, on a connection that ends; right tokens notice nothing", async (t) => {
    let nowMs = 1_800_000_000_000;
    const clock: Clock = { ...systemClock, wallMs: () => nowMs };
    const door = await openDoor({ clock });
    t.after(() => door.close());
    await door.app.listen({ host: "127.0.0.1", port: 0 });
    const guesser = clientOf(t, door);
    const first = await guesser.ask(WRONG);
    for (let count = 1; count < 20; count += 1) await guesser.ask({ authorization: "Bearer wrong" });
    assert.equal(guesser.connections(), 1);

    const spent = await guesser.ask(WRONG);
    assert.deepEqual([spent.body, first.connection, spent.connection], [first.body, "keep-alive", "close"]);
    assert.deepEqual([first.status, spent.status], [401, 401]);
    await guesser.ask(WRONG);
    await guesser.ask(WRONG);
    assert.equal(guesser.connections(), 3, "each further guess costs a connection");

    const honest = clientOf(t, door);
    for (let count = 0; count < 3; count += 1) {
      const { status, connection } = await honest.ask(DEMO);
      assert.deepEqual([status, connection], [200, "keep-alive"]);
    }
    assert.equal(honest.connections(), 1);
    assert.equal((await clientOf(t, door, "127.0.0.2").ask(WRONG)).connection, "keep-alive");
    nowMs += 60_000;
    assert.equal((await guesser.ask(WRONG)).connection, "keep-alive", "a new minute, a new budget");
  });

  test("a /64 is one address; a right token from a wrong place is no failure of the kind", async () => {
    const door = await openDoor({ clock: { ...systemClock, wallMs: () => 1_800_000_000_000 } });
    await door.addPartner({ id: "listed", allowlistCidrs: ["198.51.100.0/24"] });
    const knock = (headers: Record<string, string>, remoteAddress: string) =>
      door.app.inject({ url: "/orders", headers, remoteAddress });
    for (let count = 0; count < 20; count += 1) {
      assert.ok(!isClosing(await knock(WRONG, `2001:db8::${count.toString(16)}`)));
    }
    assert.ok(isClosing(await knock(WRONG, "2001:db8:0:0:f::1")));
    assert.ok(!isClosing(await knock(WRONG, "2001:db8:0:1::1")));
    const elsewhere = await knock({ ...DEMO, "x-partner-id": "listed" }, "2001:db8::1");
    assert.deepEqual([elsewhere.statusCode, isClosing(elsewhere)], [403, false]);
    await door.close();
  });

  test("a trusted proxy keeps its connections, which are everybody's", async () => {
    const clock: Clock = { ...systemClock, wallMs: () => 1_800_000_000_000 };
    const door = await openDoor({ clock, trustedProxies: ["10.0.0.0/8"] });
    const knock = (remoteAddress: string) =>
      door.app.inject({
        url: "/orders",
        headers: { ...WRONG, "x-forwarded-for": "192.0.2.1" },
        remoteAddress,
      });
    for (let count = 0; count < 30; count += 1) assert.ok(!isClosing(await knock("10.0.0.1")));
    assert.ok(!isClosing(await knock("192.0.2.9")), "who is no proxy is counted for itself");
    await door.app.close();
    const counts = (await authEvents(door)).map(({ ip, count }) => [ip, count]);
    assert.deepEqual(counts, [
      ["192.0.2.1", 30],
      ["192.0.2.9", 1],
    ]);
    await door.storage.close();
  });
});

suite("development", () => {
  const local = (headers: Record<string, string | string[]>) => ({ host: "localhost:8080", ...headers });

  test("development partners and operators exist there alone", async () => {
    for (const [development, status] of [
      [true, 200],
      [false, 401],
    ] as const) {
      const door = await openDoor({ development });
      await door.addPartner({ id: "made-by-dev", development: true });
      const bearer = await addOperator(door, "devi", { development: true });
      const partner = await door.get("/orders", local({ ...DEMO, "x-partner-id": "made-by-dev" }));
      assert.equal(partner.statusCode, status);
      assert.equal((await door.get("/orders", local(bearer))).statusCode, status);
      assert.equal((await door.get("/orders", local({}))).statusCode, status, "reads without credentials");
      await door.close();
    }
  });

  test("orders still need a partner", async () => {
    const door = await openDoor({ development: true });
    assert.equal((await door.post({ headers: local(DEMO) })).statusCode, 201);
    const anonymous = { method: "POST", url: "/orders", headers: local({}), payload: {} } as const;
    assert.equal((await door.app.inject(anonymous)).statusCode, 401);
    assert.equal((await door.get("/orders/1", local({}))).json().id, 1);
    assert.equal((await door.get("/orders", local({ "x-partner-id": "demo" }))).statusCode, 401);
    await door.close();
  });

  test("neither a proxy nor a rebound name gets an answer", async () => {
    const door = await openDoor({ development: true });
    const status = async (headers: Record<string, string | string[]>) =>
      (await door.get("/health", headers)).statusCode;
    for (const host of ["localhost", "LOCALHOST:80", "127.0.0.1:8080", "127.9.9.9", "[::1]", "[::1]:8080"]) {
      assert.equal(await status({ host }), 200, host);
    }
    for (const host of [
      "example.com",
      "localhost.example.com",
      "localhost.",
      "x.localhost",
      "127.0.0.1.example.com",
      "10.0.0.1",
      "0.0.0.0:8080",
      "[::2]",
      "localhost:80:80",
      "user@localhost",
    ]) {
      assert.equal(await status({ host }), 403, host);
    }
    assert.equal(await status({ host: ["localhost", "example.com"] }), 403);
    for (const name of [
      "Forwarded",
      "X-Forwarded-For",
      "X-Forwarded-Host",
      "X-Forwarded-X",
      "X-Real-IP",
      "Via",
    ]) {
      const reply = await door.get("/nothing", local({ [name]: "127.0.0.1" }));
      assert.equal(reply.statusCode, 403, name);
      assert.match(reply.json().type, /development-only$/);
    }
    await door.close();
  });
});
