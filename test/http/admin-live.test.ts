import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { connect } from "node:net";
import { suite, test, type TestContext } from "node:test";
import type { HttpServerOptions } from "../../src/http/server.ts";
import type { OrderState } from "../../src/storage/changes.ts";
import { claimOne, settle, settlement } from "../storage/fixtures.ts";
import { type DatabaseUnderTest, onEachDatabase } from "../support/databases.ts";
import { until } from "../support/gateway-process.ts";
import { addOperator, type Door, openDoor } from "./door.ts";

const ACT = { actor: "kim", reason: "not needed" };

interface Told {
  readonly event: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- asserted field by field
  readonly data: any;
}

interface Listener {
  readonly response: IncomingMessage;
  readonly told: Told[];
  /** Waits until something of the kind has been told. */
  hears(event: string, is?: (data: Told["data"]) => boolean): Promise<Told["data"]>;
  ended(): boolean;
}

async function openLive(
  t: TestContext,
  limits: HttpServerOptions["liveLimits"] = {},
  more: Partial<HttpServerOptions> & { kind?: DatabaseUnderTest } = {},
) {
  const door = await openDoor({ liveLimits: { pollMs: 10, ...limits }, ...more });
  t.after(() => door.close());
  const origin = new URL(await door.app.listen({ host: "127.0.0.1", port: 0 }));
  return { door, origin, headers: await addOperator(door, "vera", { role: "viewer" }) };
}

async function listen(origin: URL, headers: Record<string, string>): Promise<Listener> {
  const asked = request({ host: origin.hostname, port: origin.port, path: "/admin/live", headers }).end();
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  const told: Told[] = [];
  let unread = "";
  let hasEnded = false;
  response.setEncoding("utf8").on("data", (text: string) => {
    const blocks = (unread + text).split("\n\n");
    unread = blocks.pop()!;
    for (const block of blocks) {
      const [, event, data] = /^event: (\w+)\ndata: (.*)$/.exec(block) ?? [];
      if (event !== undefined) told.push({ event, data: JSON.parse(data!) });
      else assert.equal(block, "retry: 2000");
    }
  });
  response.on("error", () => {}).on("close", () => (hasEnded = true));
  return {
    response,
    told,
    ended: () => hasEnded,
    async hears(event, is = () => true) {
      const find = () => told.find((one) => one.event === event && is(one.data));
      await until(`event: ${event}`, () => find() !== undefined);
      return find()!.data;
    },
  };
}

const named = (id: number, status: string) => (data: Told["data"]) =>
  data.orders.some((order: { id: number; status: string }) => order.id === id && order.status === status);

async function post(door: Door): Promise<number> {
  return (await door.post()).json<{ id: number }>().id;
}

onEachDatabase("GET /admin/live", (kind) => {
  test("tells of an order as it comes and moves, to all by one look", async (t) => {
    const { door, origin, headers } = await openLive(t, {}, { kind });
    const before = await post(door);
    const listener = await listen(origin, headers);
    const { headers: sent } = listener.response;
    assert.deepEqual(
      [sent["content-type"], sent["cache-control"], sent["x-accel-buffering"], sent["content-encoding"]],
      ["text/event-stream", "no-store", "no", undefined],
    );
    const first = await listener.hears("look");
    assert.deepEqual(
      [first.orders, first.more, first.held, first.ticketing_fails],
      [[], false, false, false],
    );

    const id = await post(door);
    const came = await listener.hears("look", named(id, "accepted"));
    assert.deepEqual(came.orders, [{ id, status: "accepted", came: true }]);
    const late = await listen(origin, headers);
    assert.deepEqual((await late.hears("look")).orders, []);

    const job = await claimOne(door.storage, "ticketing", { now: null, limit: 1 });
    await settle(door.storage, "ticketing", settlement("ticketing", job, "blocked"), Date.now());
    const other = job.orderId === before ? id : before;
    await door.storage.operatorActions.cancel(other, ACT, Date.now());
    for (const each of [listener, late]) {
      await each.hears("look", named(job.orderId, "ticketing_blocked"));
      await each.hears("look", named(other, "cancelled"));
    }
    await door.storage.holds.place(ACT, null);
    await late.hears("look", ({ held }) => held);
    await door.storage.database.run(
      "insert into circuits (leg, partner_id, state, reason, opened_at, next_probe_at) values ('ticketing', '', 'open', '503', 1, 1)",
      [],
    );
    await late.hears("look", ({ ticketing_fails: fails }) => fails);
  });
});

suite("a live stream", () => {
  test("costs one look for all, and none when nobody listens", async (t) => {
    const { door, origin, headers } = await openLive(t, { pollMs: 20 });
    const since = t.mock.method(door.storage.changes, "since");
    const all = await Promise.all([1, 2, 3].map(() => listen(origin, headers)));
    const looks = () => all.map(({ told }) => told.filter(({ event }) => event === "look").length);
    await until("ten looks each", () => Math.min(...looks()) > 10);
    // One beside, which only says where to begin.
    const most = Math.max(...looks()) + 2;
    assert.ok(since.mock.callCount() <= most, `${since.mock.callCount()} looks, ${most} at most`);
    for (const { response } of all) response.destroy();
    await until("the end of the looks", async () => {
      const before = since.mock.callCount();
      await new Promise((resolve) => setTimeout(resolve, 100));
      return since.mock.callCount() === before;
    });
  });

  test("ends when its operator is disabled, and says so", async (t) => {
    const { door, origin, headers } = await openLive(t);
    const others = await addOperator(door, "olga");
    const [vera, olga] = [await listen(origin, headers), await listen(origin, others)];
    await vera.hears("look");
    await door.storage.operators.setDisabled("vera", true, Date.now());
    assert.deepEqual(await vera.hears("end"), { reason: "signed_out" });
    await until("the end", vera.ended);
    assert.equal(vera.response.complete, true);
    assert.equal(olga.ended(), false);
    assert.equal((await door.app.inject({ url: "/admin/live", headers })).statusCode, 401);
  });

  test("by a session ends when its operator signs out", async (t) => {
    const { origin } = await openLive(t);
    const own = { origin: origin.origin, "sec-fetch-site": "same-origin" };
    const session = new URL("/admin/session", origin);
    const signedIn = await fetch(session, {
      method: "POST",
      headers: { ...own, "content-type": "application/json" },
      body: JSON.stringify({ token: "token-of-vera" }),
    });
    const [cookie = ""] = signedIn.headers.get("set-cookie")!.split(";");
    const listener = await listen(origin, { cookie, "sec-fetch-site": "same-origin" });
    await listener.hears("look");
    assert.equal((await fetch(session, { method: "DELETE", headers: { ...own, cookie } })).status, 204);
    assert.deepEqual(await listener.hears("end"), { reason: "signed_out" });
  });

  test("tells of trouble, and goes on when it is over", async (t) => {
    const { door, origin, headers } = await openLive(t);
    const listener = await listen(origin, headers);
    await listener.hears("look");
    const away = t.mock.method(door.storage.changes, "since", async () => {
      throw new Error("postgres://user:secret@host refused");
    });
    const { detail } = await listener.hears("trouble");
    assert.equal(detail, "the database can't be read at the moment");
    const failures = () => door.events.filter(({ event }) => event === "live.look_failed").length;
    await until("more of it", () => listener.told.filter(({ event }) => event === "trouble").length > 3);
    assert.equal(failures(), 1);
    away.mock.restore();
    const id = await post(door);
    await listener.hears("look", named(id, "accepted"));
  });

  test("more than so many aren't let in, and who doesn't read loses its place", async (t) => {
    const { door, origin, headers } = await openLive(t, { pollMs: 1, maxListeners: 2 });
    const reads = await listen(origin, headers);
    await reads.hears("look");
    // Every look has as much to tell as it can.
    t.mock.method(door.storage.changes, "states", async () => {
      const orders = Array.from({ length: 200 }, (_, id) => [id, { status: "accepted", word: randomUUID() }]);
      return new Map(orders as [number, OrderState][]);
    });
    t.mock.method(door.storage.changes, "since", async () => {
      const came = Array.from({ length: 200 }, (_, id) => id);
      return { came, acted: [], atWork: [], cut: false, marks: { order: 0, action: 0, late: 0 } };
    });
    const socket = connect(Number(origin.port), origin.hostname).pause();
    t.after(() => socket.destroy());
    socket.write(`GET /admin/live HTTP/1.1\r\nHost: x\r\nAuthorization: ${headers.authorization}\r\n\r\n`);
    const isLetIn = async (): Promise<boolean> => {
      const { response } = await listen(origin, headers);
      if (response.statusCode !== 503) return true;
      assert.equal(response.headers["retry-after"], "10");
      response.destroy();
      return false;
    };
    await until("two listeners", async () => !(await isLetIn()));
    await until("a place", isLetIn);
    assert.equal(reads.ended(), false);
  });

  test("one operator leaves room for others", async (t) => {
    const { door, origin, headers } = await openLive(t, { maxListeners: 4, maxOfOne: 2 });
    const others = await addOperator(door, "olga", { role: "viewer" });
    const letIn = async (who: typeof headers): Promise<number> => {
      const three = await Promise.all([1, 2, 3].map(() => listen(origin, who)));
      return three.filter(({ response }) => response.statusCode === 200).length;
    };
    assert.equal(await letIn(headers), 2);
    assert.equal(await letIn(others), 2);
  });

  test("ends with the process, and is no slow request", async (t) => {
    const { door, origin, headers } = await openLive(t);
    const listener = await listen(origin, headers);
    await listener.hears("look");
    const answered = door.events.find((event) => "route" in event && event.route === "/admin/live");
    assert.deepEqual(
      [answered?.["status"], answered?.["event"]],
      [200, "http.answered"],
      "told at its beginning",
    );
    await door.app.close();
    assert.deepEqual(await listener.hears("end"), { reason: "closing" });
    await until("the end", listener.ended);
    assert.equal(listener.response.complete, true);
  });
});
