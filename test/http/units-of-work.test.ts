import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { Readable } from "node:stream";
import { suite, test } from "node:test";
import { addOperator, DEMO, openDoor } from "./door.ts";

const ACTED = { event: "operator.acted", operator: "kim", duration_ms: 0 };

suite("what the HTTP layer tells the log", () => {
  test("every answer, by its route as registered", async (t) => {
    const door = await openDoor();
    t.after(() => door.close());
    const url = await door.app.listen({ host: "127.0.0.1", port: 0 });
    const ask = async (method: string, path: string) =>
      (await fetch(url + path, { method, headers: DEMO })).text();
    await ask("GET", "/orders/17");
    await ask("GET", "/orders/18?secret=1");
    await ask("GET", "/no-such/path");
    await ask("PUT", "/orders");
    await ask("PROPFIND", "/orders");
    const socket = connect(Number(new URL(url).port), "127.0.0.1");
    socket.end("GET / HTTP/9.9\r\n\r\n");
    socket.resume();
    await once(socket, "close");
    const answered = door.events.filter(({ event }) => event === "http.answered");
    assert.deepEqual(
      answered.map(({ method, route, status }) => [method, route, status]),
      [
        ["GET", "/orders/:id", 404],
        ["GET", "/orders/:id", 404],
        ["unknown", "unknown", 404],
        ["unknown", "/orders", 405],
        ["unknown", "/orders", 405],
        ["unknown", "unknown", 400],
      ],
    );
    assert.ok(!JSON.stringify(answered).includes("secret"));
  });

  test("how long an answer took, also where nothing else listens for its end", async (t) => {
    const door = await openDoor();
    t.after(() => door.close());
    await door.post();
    const answered = door.events.find(({ event }) => event === "http.answered");
    assert.ok(Number(answered?.["duration_ms"]) > 0, "a commit takes some time");
  });

  test("once, also where the answer broke before its first byte", async (t) => {
    const door = await openDoor();
    t.after(() => door.close());
    const broken = new Readable({
      read() {
        this.destroy(new Error("no more rows"));
      },
    });
    door.app.get("/breaks", async (_request, reply) => reply.send(broken));
    const url = await door.app.listen({ host: "127.0.0.1", port: 0 });
    assert.equal((await fetch(`${url}/breaks`)).status, 500);
    const answered = door.events.filter(({ event }) => event === "http.answered");
    assert.deepEqual(
      answered.map(({ route, status }) => [route, status]),
      [["/breaks", 500]],
    );
  });

  test("of a traceparent the fields that are known, and nothing that a terminal would act upon", async (t) => {
    const door = await openDoor();
    t.after(() => door.close());
    const fields = "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    await door.post({ headers: { traceparent: `${fields}-\x9b31m-and more` } });
    const answered = door.events.find(({ event }) => event === "http.answered");
    assert.equal(answered?.["traceparent"], fields);
  });

  test("every act of an operator that was done, without its reason", async (t) => {
    const door = await openDoor();
    t.after(() => door.close());
    const kim = await addOperator(door, "kim");
    const act = (method: "POST" | "PATCH", url: string, payload: object) =>
      door.app.inject({ method, url, headers: { ...kim, "content-type": "application/json" }, payload });
    const reason = "as agreed on the phone";
    const { id } = (await door.post()).json<{ id: number }>();
    assert.equal((await act("POST", `/admin/orders/${id}/cancel`, { reason })).statusCode, 200);
    assert.equal((await act("POST", `/admin/orders/${id}/cancel`, { reason })).statusCode, 409);
    assert.equal(
      (await act("PATCH", "/admin/partners/demo", { reason, reject_repeats: true })).statusCode,
      200,
    );
    const bulk = { action: "retry", filter: { status: ["ticketing_blocked"] }, reason };
    assert.equal((await act("POST", "/admin/bulk", bulk)).statusCode, 201);
    await door.get("/admin/orders", kim);

    const acted = door.events.filter(({ event }) => event === "operator.acted");
    assert.deepEqual(
      acted.map((event) => ({ ...event, duration_ms: 0 })),
      [
        {
          ...ACTED,
          action: "POST /admin/orders/:id/cancel",
          status: 200,
          order_id: id,
        },
        {
          ...ACTED,
          action: "PATCH /admin/partners/:id",
          status: 200,
          partner_id: "demo",
        },
        { ...ACTED, action: "POST /admin/bulk", status: 201, bulk_id: 1 },
      ],
    );
  });
});
