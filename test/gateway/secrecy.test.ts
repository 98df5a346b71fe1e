import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { inspect } from "node:util";
import { secretToken } from "../../src/lib/ids.ts";
import type { Log, LogEvent } from "../../src/observe/log.ts";
import { newSigningSecret } from "../../src/outbound/signature.ts";
import { parseDatabaseUrl } from "../../src/storage/target.ts";
import { onEachDatabase, openUrl } from "../support/databases.ts";
import { gatewayEnv, runGateway } from "../support/gateway.ts";
import { json, startRecorder } from "../support/recorder.ts";
import { placesOf } from "../support/whole-database.ts";
import { heardBy } from "../support/log.ts";

const BUYER = "Quillfeather";
const SECRETS = {
  application: "the application secret of this test",
  shared: "the signing secret that all share",
  ticketing: "Bearer what-ticketing-asks-for",
  signing: newSigningSecret(),
  partner: secretToken("wgp_"),
  operator: secretToken("wgo_"),
  mistyped: secretToken("wgp_"),
};

const toBase64 = (text: string) => Buffer.from(text).toString("base64");

/** Every event as it was given, before the log's own scrubber. */
function listeningLog(): { log: Log; lines: string[] } {
  const lines: string[] = [];
  const write = (event: LogEvent) => void lines.push(inspect(event, { depth: 9, showHidden: true }));
  return { log: heardBy(write), lines };
}

onEachDatabase("what a thief finds", (kind) => {
  test("no secret in the log, in the database, in an answer; no buyer in the log or a refusal", async (t) => {
    const ticketing = await startRecorder(
      json(500, { echo: BUYER }),
      json(200, { reference: "R-1", tickets: [{ code: "A1", holder: BUYER }] }),
      json(422, { echo: BUYER }),
    );
    const partner = await startRecorder(json(503, { echo: BUYER }), 200);
    t.after(() => Promise.all([ticketing.close(), partner.close()]));
    const { log, lines } = listeningLog();
    const url = await kind.migratedUrl();
    const gateway = await runGateway(
      {
        ...gatewayEnv(url, ticketing.url),
        RETRY_SCHEDULE_SECS: "0,0.1,0.2",
        APP_HMAC_SECRET: SECRETS.application,
        CALLBACK_SIGNING_SECRET: SECRETS.shared,
        TICKETING_AUTHORIZATION: SECRETS.ticketing,
        PARTNERS_JSON: JSON.stringify([
          { id: "demo", name: "Demo", token: SECRETS.partner, signing_secret: SECRETS.signing },
        ]),
        OPERATORS_JSON: JSON.stringify([{ name: "kim", token: SECRETS.operator, role: "viewer" }]),
      },
      log,
    );
    let running = true;
    const stop = async () => {
      if (running) await gateway.stop();
      running = false;
    };
    t.after(stop);
    const credentials = { "x-partner-id": "demo", "x-partner-token": SECRETS.partner };
    const operator = { authorization: `Bearer ${SECRETS.operator}` };
    const order = {
      external_order_id: "EXT-1",
      callback_url: `${partner.url}/ota`,
      items: [{ sku: "ADULT", qty: 1, unit_price_minor: 1, currency: "THB", visitor: BUYER }],
      buyer: { name: BUYER },
    };
    const answers: Response[] = [];
    const id = async (body: object) => {
      const answer = await gateway.post(body, credentials);
      assert.equal(answer.status, 201);
      answers.push(answer.clone());
      return ((await answer.json()) as { id: number }).id;
    };
    const reached = async (which: number, status: string) => {
      for (;;) {
        const shown = await gateway.get(`/orders/${which}`, operator);
        if (((await shown.json()) as { status: string }).status === status) return;
        await sleep(20);
      }
    };
    await reached(await id(order), "ota_callback_delivered");
    await reached(await id({ ...order, external_order_id: "EXT-2" }), "ticketing_blocked");

    const refusals = await Promise.all([
      gateway.post(order, { ...credentials, "x-partner-token": SECRETS.mistyped }),
      gateway.post(order, { "x-partner-id": SECRETS.mistyped, "x-partner-token": "demo" }),
      gateway.post({ ...order, items: BUYER }, credentials),
      gateway.post(`{"buyer": "${BUYER}"`, credentials),
      gateway.post({ ...order, callback_url: `https://${BUYER}.internal/` }, credentials),
      gateway.get(`/orders?${BUYER}=1`, { "x-partner-id": "demo" }),
      gateway.get("/orders/999", { authorization: `Bearer ${SECRETS.mistyped}` }),
    ]);
    assert.deepEqual(
      refusals.map(({ status }) => status),
      [401, 401, 400, 400, 400, 401, 401],
    );
    answers.push(
      ...refusals,
      await gateway.get("/orders", operator),
      await gateway.get("/orders", credentials),
    );
    for (const answer of answers) assert.equal(answer.headers.get("cache-control"), "no-store");
    const told = (await Promise.all(answers.map((answer) => answer.text()))).join("\n");

    const { file } = parseDatabaseUrl(url);
    for (const path of file === null ? [] : [file, `${file}-wal`, `${file}-shm`]) {
      assert.equal(statSync(path).mode & 0o077, 0, `${path} is its owner's alone`);
    }
    await stop();
    const storage = openUrl(url);
    t.after(() => storage.close());

    const logged = lines.join("\n");
    assert.match(logged, /auth\.failed/);
    for (const [name, secret] of Object.entries(SECRETS)) {
      for (const text of [secret, secret.replace(/^(whsec|wg[po])_/, ""), toBase64(secret)]) {
        assert.ok(!logged.includes(text), `${name} in the log`);
        assert.ok(!told.includes(text), `${name} in an answer`);
        assert.deepEqual(await placesOf(storage, text), [], `${name} in the database`);
      }
    }
    assert.ok(!logged.includes(BUYER), "a buyer in the log");
    assert.ok(!told.includes(BUYER), "a buyer in an answer");
    assert.notDeepEqual(await placesOf(storage, BUYER), [], "whoever looks finds");
  });
});
