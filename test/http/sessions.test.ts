import assert from "node:assert/strict";
import http from "node:http";
import { suite, test } from "node:test";
import type { InjectOptions, LightMyRequestResponse } from "fastify";
import type { HttpServerOptions } from "../../src/http/server.ts";
import { createSessions } from "../../src/http/sessions.ts";
import { type DatabaseUnderTest, onEachDatabase } from "../support/databases.ts";
import { createFakeClock, type FakeClock } from "../support/fake-clock.ts";
import { SILENT } from "../support/log.ts";
import { placesOf } from "../support/whole-database.ts";
import { addOperator, credentials, type Door, openDoor } from "./door.ts";

const MINUTE_MS = 60_000;
const LOCAL = { host: "localhost:8080", origin: "http://localhost:8080" };
const PROXIED = {
  host: "gateway.example.com",
  origin: "https://gateway.example.com",
  "sec-fetch-site": "same-origin",
};

type Headers = Record<string, string | string[]>;

/** A browser, as far as it matters: one jar of cookies, and pages of the gateway that send requests. */
function browserOf({ app }: Door, page: Headers = LOCAL) {
  let jar = "";
  async function send(method: InjectOptions["method"], url: string, headers: Headers = {}, body?: object) {
    const sent = { ...page, ...(jar && { cookie: jar }), ...headers };
    const type = body && { "content-type": "application/json" };
    const reply = await app.inject({
      method: method!,
      url,
      headers: { ...sent, ...type },
      ...(body && { payload: body }),
    });
    const set = reply.headers["set-cookie"];
    if (typeof set === "string") jar = set.split(";")[0]!;
    return reply;
  }
  return {
    send,
    cookie: () => jar,
    takes: (cookie: string) => void (jar = cookie),
    signIn: (token: string, headers: Headers = {}) => send("POST", "/admin/session", headers, { token }),
    who: (headers: Headers = {}) => send("GET", "/admin/session", headers),
    act: (headers: Headers = {}) => send("POST", "/admin/orders/1/close", headers, { reason: "settled" }),
  };
}

function problemOf(reply: LightMyRequestResponse, status: number): string {
  assert.equal(reply.statusCode, status, reply.body);
  return reply.json<{ type: string }>().type.replace("urn:wavegate:problem:", "");
}

/** A door whose clock stands, with operator kim signed in. */
async function signedIn(kind: DatabaseUnderTest, more: Partial<HttpServerOptions> = {}) {
  const clock: FakeClock = createFakeClock();
  const door = await openDoor({ kind, clock, ...more });
  await addOperator(door, "kim");
  const browser = browserOf(door);
  assert.equal((await browser.signIn("token-of-kim")).statusCode, 200);
  return { door, browser, clock };
}

/** What is written beside an answer, and not waited for. */
async function seenAt({ storage }: Door, since: number): Promise<void> {
  for (let tries = 0; tries < 400; tries += 1) {
    const rows = await storage.database.queries.selectFrom("operator_sessions").select("seen_at").execute();
    if (rows.some(({ seen_at }) => seen_at >= since)) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.fail("it was never written that its operator did something");
}

async function confirmed({ storage }: Door): Promise<void> {
  for (let tries = 0; tries < 400; tries += 1) {
    const rows = await storage.database.queries
      .selectFrom("operator_sessions")
      .select("previous_until")
      .execute();
    if (rows.some(({ previous_until }) => previous_until !== null)) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.fail("it was never written that the new cookie came back");
}

onEachDatabase("sessions", (kind) => {
  test("signs in, looks, acts, signs out; nothing that would let anybody in is stored or logged", async () => {
    const { door, browser } = await signedIn(kind);
    const [, value = ""] = browser.cookie().split("=");
    const who = await browser.who();
    assert.deepEqual(who.json(), {
      name: "kim",
      role: "operator",
      development: false,
      time_zone: "Asia/Bangkok",
      attempts_per_run: 15,
      version: who.json().version,
      session: { idle_until: "2026-01-01T00:30:00.000Z", ends_at: "2026-01-01T12:00:00.000Z" },
    });
    assert.equal((await browser.send("GET", "/admin/orders")).statusCode, 200);
    assert.equal(problemOf(await browser.act(), 404), "not-found");
    const out = await browser.send("DELETE", "/admin/session");
    assert.deepEqual([out.statusCode, browser.cookie()], [204, "wavegate-session="]);
    browser.takes(`wavegate-session=${value}`);
    assert.equal(problemOf(await browser.who(), 401), "session-ended");
    assert.equal((await browser.send("DELETE", "/admin/session")).statusCode, 204, "and may say so again");
    const told = door.events.filter(({ event }) => event.startsWith("operator.signed"));
    assert.deepEqual(told, [
      { event: "operator.signed_in", operator: "kim", ip: "127.0.0.1" },
      { event: "operator.signed_out", operator: "kim", ip: "127.0.0.1" },
    ]);
    for (const part of ["token-of-kim", ...value.split(".")]) {
      assert.ok(!JSON.stringify(door.events).includes(part));
      assert.deepEqual(await placesOf(door.storage, part), []);
    }
    await door.close();
  });

  test("ends when nobody has done anything for a while, and a page that refreshes itself is nobody", async () => {
    const { door, browser, clock } = await signedIn(kind);
    clock.advance(29 * MINUTE_MS);
    assert.equal((await browser.who()).statusCode, 200);
    await seenAt(door, clock.nowMs);
    clock.advance(29 * MINUTE_MS);
    for (const headers of [{ "x-wavegate-background": "1" }, { accept: "text/event-stream" }]) {
      const { session } = (await browser.who(headers)).json();
      assert.equal(session.idle_until, "2026-01-01T00:59:00.000Z");
    }
    clock.advance(MINUTE_MS);
    assert.equal(problemOf(await browser.who(), 401), "session-ended");
    await door.close();
  });

  test("ends in any case", async () => {
    const { door, browser, clock } = await signedIn(kind, {
      sessionLimits: { idleMs: 10 * MINUTE_MS, maxMs: 15 * MINUTE_MS },
    });
    clock.advance(9 * MINUTE_MS);
    assert.equal((await browser.who()).json().session.idle_until, "2026-01-01T00:15:00.000Z");
    await seenAt(door, clock.nowMs);
    clock.advance(6 * MINUTE_MS);
    assert.equal(problemOf(await browser.who(), 401), "session-ended");
    await door.close();
  });

  test("its cookie is replaced; what is under way with the old one goes on, and a copy ends it", async () => {
    const { door, browser, clock } = await signedIn(kind);
    const first = browser.cookie();
    clock.advance(15 * MINUTE_MS);
    const asked = await Promise.all([1, 2, 3, 4].map(() => browser.send("GET", "/admin/orders")));
    assert.ok(asked.every(({ statusCode }) => statusCode === 200));
    assert.equal(asked.filter(({ headers }) => "set-cookie" in headers).length, 1, "once");
    const second = browser.cookie();
    assert.notEqual(second, first);
    assert.equal(second.split(".")[0], first.split(".")[0]);

    // Whose answer was lost goes on with the first, and gets another in a while.
    const lost = browserOf(door);
    lost.takes(first);
    clock.advance(MINUTE_MS - 1);
    assert.ok(!("set-cookie" in (await lost.who()).headers));
    clock.advance(1);
    assert.ok("set-cookie" in (await lost.who()).headers);
    assert.notEqual(lost.cookie(), first);

    await lost.who();
    await confirmed(door);
    clock.advance(MINUTE_MS - 1);
    const late = browserOf(door);
    late.takes(first);
    assert.equal((await late.who()).statusCode, 200, "for a minute the one before it holds as well");
    clock.advance(1);
    assert.equal(problemOf(await late.who(), 401), "session-ended");
    assert.equal(problemOf(await lost.who(), 401), "session-ended");
    const reused = door.events.find(({ event }) => event === "operator.session_reused");
    assert.deepEqual(reused, { event: "operator.session_reused", operator: "kim", ip: "127.0.0.1" });
    await door.close();
  });

  test("ends with its operator's token, with the overlap of its rotation, and with its operator", async () => {
    const { door, browser, clock } = await signedIn(kind);
    const { operators } = door.storage;
    await operators.rotateToken("kim", credentials.digest("new-token"), clock.nowMs + MINUTE_MS);
    assert.equal((await browser.who()).statusCode, 200);
    clock.advance(MINUTE_MS);
    assert.equal(problemOf(await browser.who(), 401), "session-ended");
    assert.equal(problemOf(await browser.signIn("token-of-kim"), 401), "invalid-partner");
    assert.equal((await browser.signIn("new-token")).statusCode, 200);
    // As an older release does it, which knows of no sessions.
    const { queries } = door.storage.database;
    await queries.updateTable("operators").set({ disabled_at: clock.nowMs }).execute();
    assert.equal(problemOf(await browser.who(), 401), "session-ended");
    await queries.updateTable("operators").set({ disabled_at: null }).execute();
    assert.equal((await browser.who()).statusCode, 200);
    await operators.setDisabled("kim", true, clock.nowMs);
    assert.equal(problemOf(await browser.who(), 401), "session-ended");
    assert.equal(problemOf(await browser.signIn("new-token"), 401), "invalid-partner");
    await operators.setDisabled("kim", false, clock.nowMs);
    assert.equal(problemOf(await browser.who(), 401), "session-ended", "and it doesn't come back");
    await door.close();
  });

  test("a read goes on when nothing can be written", async () => {
    const failing = () => Promise.reject(new Error("the disk is full"));
    const { door, browser, clock } = await signedIn(kind);
    await door.app.close();
    const { operatorSessions } = door.storage;
    const broken = await openDoor({
      clock,
      operatorSessions: { ...operatorSessions, rotate: failing, seen: failing },
      operators: door.storage.operators,
    });
    const same = browserOf(broken);
    same.takes(browser.cookie());
    clock.advance(16 * MINUTE_MS);
    const reply = await same.who();
    assert.deepEqual([reply.statusCode, "set-cookie" in reply.headers], [200, false]);
    assert.ok(broken.events.some(({ event }) => event === "operator_sessions.not_written"));
    await broken.close();
    await door.storage.close();
  });
});

suite("the cookie of a session", () => {
  test("is the gateway's alone: over TLS, and on its own host", async (t) => {
    const door = await openDoor();
    t.after(() => door.close());
    await addOperator(door, "kim");
    const setBy = async (page: Headers) => {
      const reply = await browserOf(door, page).signIn("token-of-kim");
      assert.equal(reply.statusCode, 200, reply.body);
      return String(reply.headers["set-cookie"]).replace(/=[\w.-]{87};/, "=<value>;");
    };
    assert.equal(
      await setBy(PROXIED),
      "__Host-wavegate-session=<value>; Path=/; HttpOnly; Secure; SameSite=Strict",
    );
    // A proxy may name another host, and only the browser knows that it speaks TLS.
    assert.match(await setBy({ ...PROXIED, host: "127.0.0.1:8080" }), /^__Host-.* Secure;/);
    for (const host of ["localhost:8080", "127.0.0.1", "[::1]:8080"]) {
      const set = await setBy({ host, origin: `http://${host}` });
      assert.equal(set, "wavegate-session=<value>; Path=/; HttpOnly; SameSite=Strict");
    }
  });

  test("is not given to who would send it in the clear, who is told what to do", async (t) => {
    const door = await openDoor();
    t.after(() => door.close());
    await addOperator(door, "kim");
    const host = "gateway.internal:8080";
    for (const page of [
      { host, origin: `http://${host}` },
      { ...LOCAL, "x-forwarded-for": "192.0.2.1" },
      { host: "localhost:8080", "sec-fetch-site": "same-origin" },
    ]) {
      const reply = await browserOf(door, page).signIn("token-of-kim");
      assert.equal(problemOf(reply, 403), "https-needed");
      assert.match(reply.json().detail, /open the console by https/);
      assert.ok(!("set-cookie" in reply.headers));
    }
  });

  test("without the prefix is taken on the gateway's own host alone, where nobody can plant it", async (t) => {
    const door = await openDoor();
    t.after(() => door.close());
    await addOperator(door, "kim");
    const browser = browserOf(door);
    await browser.signIn("token-of-kim");
    assert.equal((await browser.who()).statusCode, 200);
    for (const page of [PROXIED, { ...LOCAL, "x-forwarded-for": "192.0.2.1" }]) {
      const elsewhere = browserOf(door, page);
      elsewhere.takes(browser.cookie());
      assert.equal((await elsewhere.who()).statusCode, 204, "nobody");
    }
  });

  test("whatever else a Cookie header holds, it is read or it is none", async (t) => {
    const door = await openDoor();
    t.after(() => door.close());
    const { authorization } = await addOperator(door, "kim");
    const browser = browserOf(door);
    await browser.signIn("token-of-kim");
    const own = browser.cookie();
    const value = own.split("=")[1]!;
    const status = async (cookie: string | string[], more: Headers = {}) =>
      (await door.get("/admin/session", { ...LOCAL, cookie, ...more })).statusCode;
    for (const cookie of [`a=b; ${own}; c=d`, `__proto__=x; ${own}`, `=;;; ${own}`, `%=%; ${own};`]) {
      assert.equal(await status(cookie), 200, cookie);
    }
    const unread = [
      "",
      "wavegate-session",
      "wavegate-session=",
      "__proto__=x; constructor=y",
      `${own}x`,
      own.slice(0, -1),
      `wavegate-session="${value}"`,
      `Wavegate-Session=${value}`,
      `wavegate-session=${"x".repeat(12_000)}`,
      `${"a=b; ".repeat(2_400)}wavegate-session=é`,
      `__Host-${own.replace(value, "x.y")}; ${own}`,
    ];
    for (const cookie of unread) assert.equal(await status(cookie), 204, cookie.slice(0, 60));
    assert.equal(await status(`wavegate-session=${"x".repeat(43)}.${"x".repeat(43)}`), 401);
    for (const headers of [
      { authorization: `Bearer ${value}` },
      { authorization: `Bearer ${value.split(".")[1]}` },
      { authorization: "Bearer wrong" },
    ]) {
      assert.equal(await status(own, headers), 401, "a bearer token goes before, and a cookie is none");
    }
    assert.equal(await status("x", { authorization }), 200);
    assert.equal(
      (await door.get("/orders", { ...LOCAL, cookie: own })).statusCode,
      401,
      "it opens /admin alone",
    );
    assert.equal((await door.get("/metrics", { ...LOCAL, cookie: own })).statusCode, 401);
    assert.equal((await browser.who()).statusCode, 200, "and nobody was signed out by all that");
  });

  test("two lines of cookies are none", async (t) => {
    const door = await openDoor();
    t.after(() => door.close());
    await addOperator(door, "kim");
    const browser = browserOf(door);
    await browser.signIn("token-of-kim");
    const url = await door.app.listen({ host: "127.0.0.1", port: 0 });
    const { host } = new URL(url);
    const ask = (...cookies: string[]) =>
      new Promise<number>((resolve, reject) => {
        const headers = ["Host", host, ...cookies.flatMap((cookie) => ["Cookie", cookie])];
        const request = http.request(`${url}/admin/session`, { headers }, (response) => {
          response.resume();
          resolve(response.statusCode!);
        });
        request.on("error", reject).end();
      });
    assert.equal(await ask(browser.cookie()), 200);
    assert.equal(await ask(browser.cookie(), browser.cookie()), 204);
    assert.equal(await ask("a=b", browser.cookie()), 204);
  });
});

suite("who may send what a cookie is sent with", () => {
  const foreign = { ...LOCAL, origin: "http://evil.example" };
  /** By `Sec-Fetch-Site`, or by `Origin` where a browser doesn't send it; whether it may read, and act. */
  const TABLE: readonly [Headers, boolean, boolean][] = [
    [{ "sec-fetch-site": "same-origin" }, true, true],
    [{ "sec-fetch-site": "none" }, true, false],
    [{ "sec-fetch-site": "same-site" }, false, false],
    [{ "sec-fetch-site": "cross-site" }, false, false],
    [{ "sec-fetch-site": "" }, false, false],
    [{ "sec-fetch-site": "same-origin, cross-site" }, false, false],
    [{ ...foreign, "sec-fetch-site": "same-origin" }, true, true],
    [{}, true, true],
    [{ origin: "http://localhost:8081" }, true, false],
    [{ origin: "http://127.0.0.1:8080" }, true, false],
    [{ origin: "null" }, true, false],
    [{ origin: "localhost:8080" }, true, false],
    [{ origin: "" }, true, false],
    [foreign, true, false],
  ];

  test("a page of the gateway", async (t) => {
    const door = await openDoor();
    t.after(() => door.close());
    await addOperator(door, "kim");
    const browser = browserOf(door);
    await browser.signIn("token-of-kim");
    for (const [headers, mayRead, mayAct] of TABLE) {
      const row = JSON.stringify(headers);
      const read = await browser.who(headers);
      assert.equal(read.statusCode, mayRead ? 200 : 403, row);
      if (!mayRead) assert.equal(problemOf(read, 403), "foreign-origin");
      const acted = await browser.act(headers);
      assert.equal(problemOf(acted, mayAct ? 404 : 403), mayAct ? "not-found" : "foreign-origin", row);
    }
    const { origin: _, ...silent } = LOCAL;
    const without = browserOf(door, silent);
    without.takes(browser.cookie());
    assert.equal(problemOf(await without.act(), 403), "foreign-origin");
    assert.equal(problemOf(await without.send("DELETE", "/admin/session"), 403), "foreign-origin");
    assert.equal((await browser.who()).statusCode, 200);
  });

  test("nobody is signed in by a page of others, and a token needs no page", async (t) => {
    const door = await openDoor();
    t.after(() => door.close());
    const { authorization } = await addOperator(door, "kim");
    for (const [headers, , maySignIn] of TABLE.filter(([{ origin }]) => origin === undefined)) {
      const reply = await browserOf(door).signIn("token-of-kim", headers);
      assert.equal(reply.statusCode, maySignIn ? 200 : 403, JSON.stringify(headers));
    }
    const acting = await browserOf(door, { ...foreign, "sec-fetch-site": "cross-site", authorization }).act();
    assert.equal(acting.statusCode, 404, "a page of others has no token to send");
  });

  test("a viewer looks and signs out, and doesn't act", async (t) => {
    const door = await openDoor();
    t.after(() => door.close());
    const { authorization } = await addOperator(door, "vera", { role: "viewer" });
    const browser = browserOf(door);
    assert.equal((await browser.signIn("token-of-vera")).json().role, "viewer");
    assert.equal((await browser.send("GET", "/admin/orders")).statusCode, 200);
    assert.equal(problemOf(await browser.act(), 403), "operator-needed");
    assert.equal((await browser.send("DELETE", "/admin/session")).statusCode, 204);
    const byToken = await door.get("/admin/session", { authorization });
    assert.deepEqual([byToken.json().name, byToken.json().session], ["vera", null]);
    const out = await browser.send("DELETE", "/admin/session", { authorization, cookie: "" });
    assert.deepEqual([out.statusCode, "set-cookie" in out.headers], [204, false]);
  });
});

suite("an answer that goes on", () => {
  test("lasts as long as its session, and doesn't prolong it", async (t) => {
    const clock = createFakeClock();
    const door = await openDoor({ clock });
    t.after(() => door.close());
    await addOperator(door, "kim");
    const [operator] = await door.storage.operators.list();
    const { operatorSessions } = door.storage;
    let isHeld = true;
    const sessions = createSessions(
      {
        operatorSessions,
        credentials,
        clock,
        log: SILENT,
        sessionLimits: { idleMs: MINUTE_MS, maxMs: 2 * MINUTE_MS },
      },
      () => isHeld,
    );
    const begin = async () => {
      const begun = await sessions.begin(operator!, operator!.tokenDigest, "name", null);
      const [, id = "", secret = ""] = /^name=(.{43})\.(.{43});/.exec(begun!.renewal)!;
      return { name: "name", id, secret };
    };
    const cookie = await begin();
    assert.equal(await sessions.lasts(cookie), true);
    isHeld = false;
    assert.equal(await sessions.lasts(cookie), false, "its token is another's");
    isHeld = true;
    clock.advance(MINUTE_MS - 1);
    assert.equal(
      await sessions.lasts({ ...cookie, secret: "an older one" }),
      true,
      "it was looked at before",
    );
    clock.advance(1);
    assert.equal(await sessions.lasts(cookie), false);
    const other = await begin();
    assert.equal(await sessions.end(other), "kim");
    assert.equal(await sessions.lasts(other), false);
  });
});

suite("signing in", () => {
  test("in vain: one answer, on record like any wrong token", async (t) => {
    const door = await openDoor();
    t.after(() => door.close());
    await addOperator(door, "gone");
    await addOperator(door, "devi", { development: true });
    await door.storage.operators.setDisabled("gone", true, Date.now());
    const bodies = new Set<string>();
    for (const token of ["wrong", "token-of-gone", "token-of-devi"]) {
      const reply = await browserOf(door).signIn(token);
      assert.equal(problemOf(reply, 401), "invalid-partner");
      bodies.add(reply.body);
    }
    assert.equal(bodies.size, 1);
    const failed = door.events.filter(({ event }) => event.startsWith("auth.failed"));
    assert.deepEqual(
      failed.map(({ reason }) => reason),
      ["wrong_token", "wrong_token", "wrong_token"],
    );
  });

  test("what is sent is a token and nothing else, and not much of it", async (t) => {
    const door = await openDoor();
    t.after(() => door.close());
    const send = (payload: string, type = "application/json") =>
      door.app.inject({
        method: "POST",
        url: "/admin/session",
        headers: { ...LOCAL, "content-type": type },
        payload,
      });
    assert.equal(problemOf(await send('{"token":"x"}', "text/plain"), 415), "unsupported-media-type");
    for (const body of ["[]", "{}", '{"token":"x","more":1}', '{"token":"a b"}', '{"token":1}']) {
      assert.equal(problemOf(await send(body), 400), "invalid-body", body);
    }
    assert.equal(problemOf(await send(`{"token":"${"x".repeat(257)}"}`), 400), "invalid-body");
    const long = await send(`{"token":"x"${" ".repeat(4096)}}`);
    assert.equal(problemOf(long, 400), "invalid-body");
    assert.match(long.body, /4096 bytes at most/);
    assert.equal(problemOf(await send("{"), 400), "invalid-json");
  });

  test("again replaces the session, and a value that was known before is worth nothing", async (t) => {
    const door = await openDoor();
    t.after(() => door.close());
    await addOperator(door, "kim");
    await addOperator(door, "noor");
    const browser = browserOf(door);
    await browser.signIn("token-of-kim");
    const before = browser.cookie();
    await browser.signIn("token-of-noor");
    assert.notEqual(browser.cookie().split(".")[0], before.split(".")[0], "also its id is a new one");
    assert.equal((await browser.who()).json().name, "noor");
    browser.takes(before);
    assert.equal(problemOf(await browser.who(), 401), "session-ended");
  });

  test("the twenty-first ends the first", async (t) => {
    const clock = createFakeClock();
    const door = await openDoor({ clock });
    t.after(() => door.close());
    await addOperator(door, "kim");
    const browsers = Array.from({ length: 21 }, () => browserOf(door));
    for (const browser of browsers) {
      clock.advance(1);
      await browser.signIn("token-of-kim");
    }
    const statuses = await Promise.all(browsers.map(async ({ who }) => (await who()).statusCode));
    assert.deepEqual([statuses[0], new Set(statuses.slice(1))], [401, new Set([200])]);
  });
});
