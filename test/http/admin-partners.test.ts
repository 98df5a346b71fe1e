import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { onEachDatabase } from "../support/databases.ts";
import { claim, NOW, place, settle, settlement } from "../storage/fixtures.ts";
import { addOperator, DEMO, type Door, openDoor, ORDER } from "./door.ts";

type Shown = Record<string, unknown>;

onEachDatabase("partners over HTTP", (kind) => {
  let door: Door;
  let kim: { authorization: string };
  beforeEach(async () => {
    door = await openDoor({
      kind,
      testCallback: async (partner, url) => ({
        eventId: "evt_1",
        body: `{"partner_id":"${partner.id}"}`,
        delivered: url.endsWith("/good"),
        finding: "the partner answered 204",
        record: { code: 204, error: null, durationMs: 3, answer: null, note: null },
      }),
    });
    kim = await addOperator(door, "kim");
  });
  afterEach(() => door.close());

  const send = (method: "POST" | "PATCH", url: string, payload: object, headers = kim) =>
    door.app.inject({
      method,
      url: `/admin/partners${url}`,
      headers: { "content-type": "application/json", ...headers },
      payload,
    });
  const actions = async () => {
    const rows = await door.storage.database.queries
      .selectFrom("operator_actions")
      .select(["partner_id", "actor", "action", "reason", "detail"])
      .orderBy("id")
      .execute();
    return rows.map((row) => ({ ...row, detail: JSON.parse(row.detail ?? "null") as unknown }));
  };
  const order = (id: string, token: string) =>
    door.post({ headers: { "x-partner-id": id, "x-partner-token": token } });

  test("added: the token is shown once and works; what is recorded holds no secret", async () => {
    const added = await send("POST", "", {
      partner_id: "wave-tours",
      name: "Wave Tours",
      callback_hosts: ["partner.example.com"],
      own_signing_secret: true,
      hold_limit_secs: 600,
      reason: "contract 12",
    });
    const { token, signing_secret: secret, ...view } = added.json<Shown>();
    assert.equal(added.statusCode, 201, added.body);
    assert.equal(added.headers.location, "/admin/partners/wave-tours");
    assert.match(String(token), /^wgp_/);
    assert.match(String(secret), /^whsec_/);
    assert.deepEqual(
      [view["name"], view["callback_hosts"], view["own_signing_secret"], view["hold_limit_secs"]],
      ["Wave Tours", ["partner.example.com"], true, 600],
    );
    assert.equal((await order("wave-tours", String(token))).statusCode, 201);
    const shown = await door.get("/admin/partners/wave-tours", kim);
    assert.ok(!shown.body.includes(String(token)) && !shown.body.includes(String(secret)));
    assert.deepEqual(await actions(), [
      {
        partner_id: "wave-tours",
        actor: "kim",
        action: "partner add",
        reason: "contract 12",
        detail: { name: "Wave Tours" },
      },
    ]);
    assert.equal((await send("POST", "", { partner_id: "wave-tours", name: "x" })).statusCode, 409);
    const longest = await send("POST", "", { partner_id: "x".repeat(64), name: "x" });
    assert.equal((await door.get(String(longest.headers.location), kim)).statusCode, 200);
  });

  test("changed: only what is named, with what it was and is; null takes a limit away", async () => {
    await send("PATCH", "/demo", {
      allowlist_cidrs: ["203.0.113.0/24"],
      rate_limit: { capacity: 9, per_sec: 3 },
    });
    const changed = await send("PATCH", "/demo", {
      rate_limit: null,
      reject_repeats: true,
      failure_events: true,
    });
    const view = changed.json<Shown>();
    assert.equal(changed.statusCode, 200, changed.body);
    assert.deepEqual(
      [
        view["name"],
        view["allowlist_cidrs"],
        view["rate_limit"],
        view["reject_repeats"],
        view["failure_events"],
      ],
      ["demo", ["203.0.113.0/24"], null, true, true],
    );
    const [, second] = await actions();
    assert.deepEqual(second!.detail, {
      from: { rate_capacity: 9, rate_per_sec: 3, reject_repeats: 0, failure_events: 0 },
      to: { rate_capacity: null, rate_per_sec: null, reject_repeats: 1, failure_events: 1 },
    });
    // It holds at once.
    assert.equal((await order("demo", DEMO["x-partner-token"])).statusCode, 403);
  });

  test("disabled and enabled, token and secret rotated", async () => {
    const state = async (verb: string, body = {}) =>
      (await send("POST", `/demo/${verb}`, body)).json<Shown>();
    assert.equal((await state("disable"))["state"], "disabled");
    assert.equal((await order("demo", DEMO["x-partner-token"])).statusCode, 401);
    assert.equal((await state("enable"))["state"], "enabled");
    const { token } = await state("rotate-token", { overlap_secs: 0 });
    assert.equal((await order("demo", DEMO["x-partner-token"])).statusCode, 401);
    assert.equal((await order("demo", String(token))).statusCode, 201);
    const rotated = await state("rotate-secret", { overlap_secs: 60 });
    assert.match(String(rotated["signing_secret"]), /^whsec_/);
    assert.equal(rotated["own_signing_secret"], true);
    const recorded = await actions();
    assert.deepEqual(
      recorded.map(({ action }) => action),
      ["partner disable", "partner enable", "partner rotate token", "partner rotate secret"],
    );
    const told = JSON.stringify(recorded);
    for (const secret of [token, rotated["signing_secret"]]) assert.ok(!told.includes(String(secret)));
  });

  test("a test callback: what came back is shown, nothing is stored but the act", async () => {
    const url = "https://partner.example.com/good?key=secret";
    const tested = (
      await send("POST", "/demo/test-callback", { url: url.replace("?key=secret", "") })
    ).json<Shown>();
    assert.deepEqual(
      [tested["delivered"], tested["code"], tested["finding"]],
      [true, 204, "the partner answered 204"],
    );
    await send("POST", "/demo/test-callback", { url });
    assert.deepEqual((await actions()).at(-1), {
      partner_id: "demo",
      actor: "kim",
      action: "partner test callback",
      reason: "",
      detail: { host: "partner.example.com", code: 204, error: null },
    });
  });

  test("how partners fare: last seen, orders, refusals, what stands still", async () => {
    const before = (await door.get("/admin/partners", kim)).json<Shown[]>();
    assert.deepEqual(
      before.map((each) => [each["partner_id"], each["last_seen_at"], each["circuit"]]),
      [["demo", null, null]],
    );
    assert.equal((await door.post({ payload: ORDER })).statusCode, 201);
    await place(door.storage);
    for (const job of await claim(door.storage, "ticketing", { now: Date.now() + 1000 }))
      await settle(door.storage, "ticketing", settlement("ticketing", job, "blocked"), NOW);
    await door.storage.database.run(
      `insert into rejected_requests (partner_id, status, problem, reason, count, at)
       values ('demo', 422, 'key-reused', 'x', 3, $1), ('demo', 422, 'key-reused', 'x', 9, 1)`,
      [Date.now()],
    );
    const [after] = (await door.get("/admin/partners", kim)).json<Shown[]>();
    assert.ok(Date.parse(String(after!["last_seen_at"])) > Date.now() - 60_000);
    assert.deepEqual(after!["stopped"], { ticketing: 2, callbacks: 0 });
    const { refused_requests: refused, failed_callbacks: failed } = after!["last_day"] as Shown;
    assert.deepEqual([refused, failed], [3, 0]);
    assert.deepEqual((await door.get("/admin/partners?after=demo", kim)).json(), []);
  });

  test("refusals", async () => {
    const cases: ["POST" | "PATCH", string, object, RegExp][] = [
      ["POST", "", { name: "x" }, /\/partner_id is required/],
      ["POST", "", { partner_id: "a b", name: "x" }, /\/partner_id must be 1 to 64/],
      ["POST", "", { partner_id: "x", name: "" }, /\/name must be 1 to 128/],
      ["POST", "", { partner_id: "x", name: "x", token: "mine" }, /\/token is unknown/],
      [
        "PATCH",
        "/demo",
        { allowlist_cidrs: ["10.0.0.0/8", "nonsense"] },
        /\/allowlist_cidrs\/1 must be a CIDR/,
      ],
      ["PATCH", "/demo", { allowlist_cidrs: [] }, /\/allowlist_cidrs must be a list of 1/],
      ["PATCH", "/demo", { rate_limit: { capacity: 0, per_sec: 1 } }, /\/rate_limit must be/],
      ["PATCH", "/demo", { callback_hosts: ["http://x"] }, /\/callback_hosts\/0 must be a host name/],
      ["PATCH", "/demo", { hold_limit_secs: -1 }, /\/hold_limit_secs must be a whole number/],
      ["POST", "/demo/rotate-token", { overlap_secs: "1h" }, /\/overlap_secs must be/],
    ];
    for (const [method, url, body, expected] of cases) {
      const response = await send(method, url, body);
      assert.equal(response.statusCode, 400, response.body);
      const { errors } = response.json<{ errors: { pointer: string; detail: string }[] }>();
      assert.match(errors.map(({ pointer, detail }) => `${pointer} ${detail}`).join("\n"), expected);
    }
    assert.equal((await send("PATCH", "/nobody", { name: "x" })).statusCode, 404);
    const viewer = await addOperator(door, "vera", { role: "viewer" });
    assert.equal((await send("POST", "/demo/disable", {}, viewer)).statusCode, 403);
    assert.equal((await door.get("/admin/partners", viewer)).statusCode, 200);
    assert.deepEqual(await actions(), []);
  });
});
