import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Log, LogEvent } from "../../../src/observe/log.ts";
import { onEachDatabase, openUrl } from "../../support/databases.ts";
import { gatewayEnv, runGateway } from "../../support/gateway.ts";
import { startRecorder } from "../../support/recorder.ts";
import { orderBody } from "../../support/way.ts";
import { watchHeap } from "./heap.ts";
import { head, HOST, JSON_TYPE, POST } from "./siege.ts";

const BEHIND_PROXY = 9000;
const DIRECT = 1000;
const CONNECTIONS = 10;
const PIPELINED = 30;
/** Of the partner, between two orders. */
const PAUSE_MS = 50;
/** The attacker, who shares his address with a partner that he has nothing else to do with. */
const ADDRESS = "203.0.113.9";
/** Rows that SECURITY.md promises for an address and minute, and the sums of what goes beyond, by reason. */
const MAX_ROWS = 20 + 5;

/** Every way of being wrong in turn, and never twice the same. */
function guess(n: number): string {
  const from = [HOST, `X-Forwarded-For: ${ADDRESS}`];
  const token = `X-Partner-Token: guess-${n}`;
  const kinds = [
    () => head("GET /orders HTTP/1.1", ...from, "X-Partner-Id: demo", token),
    () => head("GET /orders/1 HTTP/1.1", ...from, `X-Partner-Id: partner-${n}`, token),
    () => head(POST, ...from, "X-Partner-Id: demo", token, JSON_TYPE, "Content-Length: 2") + "{}",
    () => head("GET /orders HTTP/1.1", ...from, `Authorization: Bearer guess-${n}`),
    () => head("GET /orders HTTP/1.1", ...from, token),
  ];
  return kinds[n % kinds.length]!();
}

onEachDatabase("10,000 bad tokens a minute", (kind) => {
  test("each is a 401, few leave a row, and a partner at the same address is served meanwhile", async (t) => {
    const ticketing = await startRecorder();
    t.after(() => ticketing.close());
    const url = await kind.migratedUrl();
    const failed: LogEvent[] = [];
    const quiet = (): void => {};
    const warn = (event: LogEvent): void => void failed.push(event);
    const log: Log = { debug: quiet, info: quiet, warn, error: warn };
    const env = { ...gatewayEnv(url, ticketing.url), TRUSTED_PROXIES: "127.0.0.1/32" };
    const gateway = await runGateway(env, log);
    const port = Number(new URL(gateway.url!).port);
    const statuses = new Map<string, number>();
    let next = 0;

    /** Sends guesses on one connection and counts the answers, until all have come or the gateway has had enough. */
    async function knock(localAddress: string, guesses: number): Promise<void> {
      const socket = connect({ port, host: "127.0.0.1", localAddress }).setEncoding("latin1");
      socket.on("error", () => {});
      socket.write(Array.from({ length: guesses }, () => guess(next++)).join(""));
      let answered = 0;
      let text = "";
      socket.on("data", (piece: string) => {
        text += piece;
        answered = text.split("HTTP/1.1 ").length - 1;
        if (answered === guesses && text.endsWith("}")) socket.end();
      });
      await once(socket, "close");
      for (const [, status = ""] of text.matchAll(/HTTP\/1\.1 (\d{3}) /g)) {
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
    }
    async function knockAgain(localAddress: string, times: number, guesses: number): Promise<void> {
      for (let n = 0; n < times; n += 1) await knock(localAddress, guesses);
    }

    let attacked = false;
    let served = 0;
    const serve = async () => {
      while (!attacked || served === 0) {
        const order = await gateway.post(orderBody(`${ticketing.url}/cb`), { "x-forwarded-for": ADDRESS });
        assert.equal(order.status, 201, await order.text());
        served += 1;
        await sleep(PAUSE_MS);
      }
    };
    await knock("127.0.0.1", PIPELINED);
    const assertLittleIsHeld = watchHeap();
    const rounds = BEHIND_PROXY / CONNECTIONS / PIPELINED;
    const attacks = [
      ...Array.from({ length: CONNECTIONS }, () => knockAgain("127.0.0.1", rounds, PIPELINED)),
      ...Array.from({ length: CONNECTIONS }, () => knockAgain("127.0.0.2", DIRECT / CONNECTIONS, 1)),
    ];
    const attack = Promise.all(attacks).then(() => (attacked = true));
    await Promise.all([attack, serve()]);
    assertLittleIsHeld();
    const health = await gateway.get("/health");
    await gateway.stop();

    const total = PIPELINED + BEHIND_PROXY + DIRECT;
    assert.deepEqual([...statuses], [["401", total]]);
    assert.equal(health.status, 200);
    const storage = openUrl(url);
    const { queries } = storage.database;
    const rows = await queries.selectFrom("auth_events").select(["minute", "ip", "count"]).execute();
    await storage.close();
    assert.equal(
      rows.reduce((sum, { count }) => sum + count, 0),
      total,
      "every failure is counted",
    );
    for (const [place, some] of Object.entries(Object.groupBy(rows, ({ minute, ip }) => `${ip} ${minute}`))) {
      assert.match(place, /^(?:203\.0\.113\.9|127\.0\.0\.2) /);
      assert.ok(some!.length <= MAX_ROWS, `${some!.length} rows for ${place}`);
    }
    assert.deepEqual([...new Set(failed.map(({ event }) => event))], ["auth.failed"]);
    assert.equal(failed.length, rows.length);
    t.diagnostic(`bad tokens: ${total} cases, ${rows.length} rows, ${served} orders meanwhile`);
  });
});
