import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { POSTGRES, SQLITE } from "../support/databases.ts";
import { gatewayEnv } from "../support/gateway.ts";
import { type ServeProcess, spawnGateway, spawnServe, until } from "../support/gateway-process.ts";
import { type Recorder, startRecorder } from "../support/recorder.ts";
import { orderBody } from "../support/way.ts";

const HANG = (): void => {};

suite("serve --workers 2", () => {
  let ticketing: Recorder;
  let partner: Recorder;
  before(async () => {
    ticketing = await startRecorder();
    partner = await startRecorder();
  });
  after(() => Promise.all([ticketing.close(), partner.close()]));

  test("both work, one that is killed is replaced, SIGTERM ends all", async () => {
    ticketing.answer(HANG, HANG, 200);
    const env = {
      ...gatewayEnv(await POSTGRES.createUrl(), ticketing.url),
      TICKETING_CONCURRENCY: "1",
      TICKETING_TIMEOUT_SECS: "1.5",
      CALLBACK_TIMEOUT_SECS: "1.5",
      LEASE_SECS: "2.6",
      RETRY_SCHEDULE_SECS: "0,0.1,0.2,0.3",
    };
    const gateway = await spawnGateway(env, { args: ["--workers", "2"] });
    const [one, other] = await until("two workers", () => started(gateway, 2));
    assert.ok(![one, other].includes(gateway.pid));
    const ids: number[] = [];
    for (const _ of [1, 2]) ids.push(await gateway.accepted(orderBody(`${partner.url}/cb`)));
    // Each has one slot, and neither ends its attempt.
    await until("an attempt in each", () => ticketing.requests.length === 2);

    process.kill(one!, "SIGKILL");
    const ended = await gateway.logged("worker.ended");
    assert.deepEqual([ended["worker"], ended["end"]], [one, "SIGKILL"]);
    const [, , third] = await until("its successor", () => started(gateway, 3));
    for (const id of ids) await gateway.reach(id, "ota_callback_delivered");
    const attempts = await Promise.all(
      ids.map(async (id) => (await gateway.order(id))["ticketing_job"].attempts),
    );
    const failed = attempts.map(([first]) => first.error as string).toSorted();
    assert.deepEqual(failed, ["lost", "timeout"]);

    assert.deepEqual(await gateway.stop(), { code: 0, signal: null });
    for (const pid of [other!, third!]) assert.throws(() => process.kill(pid, 0), { code: "ESRCH" });
    assert.equal(gateway.stderr(), "");
  });

  test("workers whose supervisor is killed end by themselves", async () => {
    const env = gatewayEnv(await POSTGRES.createUrl(), ticketing.url);
    const gateway = await spawnGateway(env, { args: ["--workers", "2"] });
    await until("two workers", () => started(gateway, 2));
    // Known to have ended only when its pipes are closed: by the last worker.
    assert.equal((await gateway.kill()).signal, "SIGKILL");
    assert.equal(gateway.log.filter(({ event }) => event === "gateway.stopped").length, 2);
  });

  test("SQLite refuses: it has one serving process", async () => {
    const env = gatewayEnv(await SQLITE.createUrl(), ticketing.url);
    const serve = spawnServe(env, { args: ["--workers", "2"] });
    assert.equal((await serve.ended).code, 2);
    assert.match(serve.stderr(), /--workers over 1 needs PostgreSQL/);
  });

  test("a second serve on an SQLite file refuses, and leaves the first alone", async () => {
    const env = gatewayEnv(await SQLITE.createUrl(), ticketing.url);
    const first = await spawnGateway(env);
    const second = spawnServe(env);
    assert.equal((await second.ended).code, 1);
    assert.match(second.stderr(), /another process is serving/);
    const id = await first.accepted(orderBody(`${partner.url}/cb`));
    await first.reach(id, "ota_callback_delivered");
    assert.equal((await first.stop()).code, 0);
  });
});

function started({ log }: ServeProcess, count: number): number[] | undefined {
  const pids = log.filter(({ event }) => event === "gateway.started").map(({ pid }) => pid);
  return pids.length >= count ? pids : undefined;
}
