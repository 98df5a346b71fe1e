import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { sql } from "kysely";
import pg from "pg";
import { CommitUnknown, DatabaseUnavailable, RowLocked } from "../../src/storage/database.ts";
import { openStorage, type Storage } from "../../src/storage/open.ts";
import { migrate } from "../../src/storage/schema.ts";
import { openUrl, POSTGRES } from "../support/databases.ts";
import { freePort } from "../support/postgres.ts";
import { addPartner, PARTNER_ID } from "../support/way.ts";
import { startCommitProxy } from "./commit-proxy.ts";
import {
  claim,
  claimOne,
  claimRequest,
  keyed,
  lost,
  newOrder,
  NOW,
  place,
  rowsIn,
  settle,
  settlement,
  statusOf,
} from "./fixtures.ts";

suite("storage on PostgreSQL alone", () => {
  let url: string;
  let storage: Storage;
  let admin: pg.Client;
  before(async () => {
    url = await POSTGRES.migratedUrl();
    storage = openUrl(url);
    await addPartner(storage, PARTNER_ID);
    admin = new pg.Client({ connectionString: url });
    await admin.connect();
  });
  after(async () => {
    await admin.end();
    await storage.close();
  });

  test("prepared statements can be turned off", async () => {
    for (const preparedStatements of [false, true]) {
      const plain = openStorage({ url, poolSize: 1, preparedStatements, create: true });
      const [placed] = await place(plain, [keyed(`prepared ${preparedStatements}`)]);
      const job = await claimOne(plain, "ticketing");
      await settle(plain, "ticketing", settlement("ticketing", job, "succeeded"));
      await settle(plain, "callback", settlement("callback", await claimOne(plain, "callback"), "succeeded"));
      assert.equal(await statusOf(plain, placed!.id), "ota_callback_delivered");
      assert.equal((await rowsIn(plain, "pg_prepared_statements")) > 0, preparedStatements);
      await plain.close();
    }
  });

  test("a server that can't be reached is DatabaseUnavailable, whatever is asked of it", async () => {
    const gone = openUrl(`postgresql://postgres@127.0.0.1:${await freePort()}/gone`);
    const filter = { partnerId: null, status: null, externalOrderId: null, before: null, limit: 1 };
    for (const ask of [
      () => gone.database.run("select 1", []),
      () => gone.intake.accept([newOrder()], null),
      () => claim(gone, "ticketing"),
      () => gone.partners.findMany(["p"]),
      () => gone.partners.list(),
      () => gone.orders.list(filter),
      () => gone.orders.story(1, null),
      () => gone.operators.findByDigests(["d"]),
      () => gone.operatorActions.retry(1, { actor: "ops", reason: "why" }, null),
      () => migrate(gone.database),
    ]) {
      await assert.rejects(ask, DatabaseUnavailable, String(ask));
    }
    await gone.close();
  });

  const kill = (pid: number) => admin.query("select pg_terminate_backend($1, 5000)", [pid]);
  const pidOf = "select pg_backend_pid() as pid";

  test("a connection that is ended within a transaction: nothing is written, and the next call works", async () => {
    for (const statement of ["select 1", "select pg_sleep(5)"]) {
      const broken = storage.database.transact(async (tx) => {
        const [row] = await tx<{ pid: number }>(pidOf, []);
        await tx(
          "insert into auth_events (partner_id, reason, minute, count, last_at) values ('x', 'x', 0, 1, 0)",
          [],
        );
        const killed = kill(row!.pid);
        // Once between two statements, when nobody waits for the server, and once during one.
        if (statement === "select 1") await killed;
        await tx(statement, []);
      });
      await assert.rejects(broken, DatabaseUnavailable);
      assert.equal(await rowsIn(storage, "auth_events"), 0);
    }
  });

  test("connections that are ended while they rest are replaced", async () => {
    const { database } = storage;
    await Promise.all(Array.from({ length: 5 }, () => database.run("select pg_sleep(0.05)", [])));
    const { rows } = await admin.query<{ pid: number }>(
      "select pid from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()",
    );
    for (const { pid } of rows) await kill(pid);
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal((await place(storage)).length, 1);
    await storage.database.queries.selectFrom("partners").select("name").execute();
  });

  test("a dynamic query whose connection is ended is DatabaseUnavailable", async () => {
    const broken = storage.database.queries.transaction().execute(async (transaction) => {
      const pid = sql<number>`pg_backend_pid()`.as("pid");
      const [row] = await transaction.selectNoFrom(pid).execute();
      await kill(row!.pid);
      await transaction.selectFrom("partners").selectAll().execute();
    });
    await assert.rejects(broken, DatabaseUnavailable);
    assert.equal((await storage.partners.list()).length, 1);
  });

  test("a COMMIT without an answer is CommitUnknown, whether it was done or not", async () => {
    const proxy = await startCommitProxy(url);
    const through = openUrl(proxy.url);
    for (const fate of ["answer lost", "lost on the way"] as const) {
      const order = newOrder();
      proxy.fate = fate;
      await assert.rejects(place(through, [order]), CommitUnknown);
      const found = await through.intake.findByTraceIds([order.traceId]);
      assert.equal(found.has(order.traceId), fate === "answer lost");
    }
    await through.close();
    await proxy.close();
  });

  test("an order that a person's transaction holds waits, and the others are claimed", async () => {
    const [held, free] = await place(storage, [newOrder(), newOrder()]);
    await admin.query("begin");
    await admin.query("select 1 from orders where id = $1 for update", [held!.id]);
    const mine = async () => {
      const jobs = await storage.queues.ticketing.claim(claimRequest());
      return jobs.filter(({ orderId }) => orderId >= held!.id);
    };
    const first = await mine();
    assert.deepEqual(
      first.map((job) => job.orderId),
      [free!.id],
    );
    await admin.query("rollback");
    const second = await mine();
    assert.deepEqual(
      second.map(({ orderId, no }) => [orderId, no]),
      [[held!.id, 1]],
    );
    for (const job of [...first, ...second]) {
      await settle(storage, "ticketing", settlement("ticketing", job, "blocked"));
    }
  });

  test("a job that somebody holds is passed over at once", async () => {
    const [held, free] = await place(storage, [newOrder(), newOrder()]);
    await admin.query("begin");
    await admin.query("select 1 from ticketing_jobs where id = $1 for update", [held!.id]);
    const jobs = await storage.queues.ticketing.claim(claimRequest());
    await admin.query("rollback");
    assert.deepEqual(
      jobs.map(({ orderId }) => orderId),
      [free!.id],
    );
    const rest = await storage.queues.ticketing.claim(claimRequest());
    for (const job of [...jobs, ...rest]) {
      await settle(storage, "ticketing", settlement("ticketing", job, "blocked"));
    }
  });

  test("a row that another transaction holds for too long is RowLocked, and no data fault of the others", async () => {
    await admin.query("begin");
    await admin.query("insert into idempotency_keys values ($1, 'held', 'f', gen_random_uuid(), 0)", [
      PARTNER_ID,
    ]);
    const error = await storage.intake.accept([keyed("held")], NOW).catch((error: unknown) => error);
    await admin.query("rollback");
    assert.ok(error instanceof RowLocked, String(error));
    assert.ok(storage.database.isDataFault(error), "a batch is run again one by one");
    assert.equal((await place(storage, [keyed("held")])).length, 1);
  });

  test("a process that stands still within a transaction does not hold its rows for good", async () => {
    const setting = await storage.database.transact((tx) =>
      tx<{ value: string }>("select current_setting('idle_in_transaction_session_timeout') as value", []),
    );
    assert.equal(setting[0]!.value, "5s");
  });

  test("a newer release may add columns while this one serves", async () => {
    const { ticketing } = storage.circuits;
    // Each connection of the pool has its own plans.
    const ask = () =>
      Promise.all(
        Array.from({ length: 8 }, async () => {
          assert.equal((await storage.partners.findMany([PARTNER_ID])).size, 1);
          assert.deepEqual([await ticketing.listOpen(), await ticketing.closeProven(NOW)], [[], []]);
        }),
      );
    await ask();
    for (const table of ["partners", "circuits"])
      await admin.query(`alter table ${table} add column later text`);
    await ask();
    for (const table of ["partners", "circuits"]) await admin.query(`alter table ${table} drop column later`);
    await ask();
  });
});

suite("statements of the engine on PostgreSQL", () => {
  const ROWS = 50_000;
  const TABLES =
    "('orders', 'ticketing_jobs', 'ota_callback_jobs', 'ticketing_attempts', 'idempotency_keys', 'order_items')";

  test("find their rows by index, also when they were prepared while the tables were empty", async () => {
    const url = await POSTGRES.migratedUrl();
    const first = openUrl(url);
    await addPartner(first, PARTNER_ID);
    await first.close();
    const admin = new pg.Client({ connectionString: url });
    await admin.connect();
    const scans = async () => {
      const { rows } = await admin.query<{ relname: string; seq_scan: string }>(
        `select relname, seq_scan from pg_stat_user_tables where relname in ${TABLES} order by 1`,
      );
      return rows;
    };
    // A session reports its counts when it ends.
    const before = await scans();
    const storage = openStorage({ url, poolSize: 1, preparedStatements: true, create: true });

    const engine = async () => {
      const orders = Array.from({ length: 10 }, (_, index) => keyed(`e${index}`));
      await storage.intake.accept(orders, NOW);
      await storage.intake.accept(
        [keyed("e1"), newOrder({ rejectRepeats: true, externalOrderId: "R" })],
        NOW,
      );
      await storage.intake.findByTraceIds(orders.map((order) => order.traceId));
      await storage.intake.findByKey(PARTNER_ID, "e1", "same");
      const jobs = await storage.queues.ticketing.claim(claimRequest({ limit: 5 }));
      await storage.queues.ticketing.giveBack(jobs.slice(0, 1), NOW);
      await storage.queues.ticketing.expired(10, false, NOW);
      await storage.queues.ticketing.abandon(jobs[0]?.claim ?? "00000000-0000-7000-8000-000000000000", NOW);
      const taken = await storage.queues.ticketing.claim(claimRequest({ limit: 5 }));
      const ends = taken.map((job, index) =>
        index === 0 ? lost(job) : settlement("ticketing", job, index === 1 ? "blocked" : "succeeded"),
      );
      await storage.settlements.ticketing.settle(ends, NOW);
      if (taken[0]) await settle(storage, "ticketing", settlement("ticketing", taken[0], "succeeded"));
      if (taken[1]) await storage.operatorActions.retry(taken[1].orderId, { actor: "o", reason: "r" }, NOW);
      const callbacks = await storage.queues.callback.claim(claimRequest({ limit: 5 }));
      const told = callbacks.map((job) => settlement("callback", job, "succeeded"));
      await storage.settlements.callback.settle(told, NOW);
    };
    for (let round = 0; round < 7; round += 1) await engine();
    await admin.query(
      `insert into orders (id, partner_id, external_order_id, trace_id, callback_url, pipeline_status, raw_payload, created_at, updated_at)
         select n, $1, 'B' || n, gen_random_uuid(), 'u', 'accepted', '{}', 0, 0
         from generate_series(${ROWS}, ${2 * ROWS}) n`,
      [PARTNER_ID],
    );
    await admin.query(
      `insert into ticketing_jobs (id, order_id, partner_id, status, next_attempt_at, created_at, updated_at)
         select n, n, $1, 'pending', ${NOW}, 0, 0 from generate_series(${ROWS}, ${2 * ROWS}) n`,
      [PARTNER_ID],
    );
    for (let round = 0; round < 7; round += 1) await engine();
    await storage.close();
    // The backend has reported when it is gone.
    const alive =
      "select from pg_stat_activity where application_name = 'wavegate' and datname = current_database()";
    while ((await admin.query(alive)).rowCount !== 0) await new Promise((resolve) => setTimeout(resolve, 20));
    const after = await scans();
    await admin.end();
    assert.deepEqual(after, before);
  });
});
