import assert from "node:assert/strict";
import { test } from "node:test";
import { sql } from "kysely";
import { ANY_ORDER } from "../../src/orders/order-filter.ts";
import { RowLocked } from "../../src/storage/database.ts";
import { initial } from "../../src/storage/migrations/0001-initial.ts";
import { search } from "../../src/storage/migrations/0003-search.ts";
import { operatorRotation } from "../../src/storage/migrations/0002-operator-rotation.ts";
import { migrate, schemaState } from "../../src/storage/schema.ts";
import { onEachDatabase, openUrl, POSTGRES } from "../support/databases.ts";
import { until } from "../support/gateway-process.ts";
import { otherProcess } from "./other-process.ts";

const NAMES = [
  "0001-initial",
  "0002-operator-rotation",
  "0003-search",
  "0005-actions",
  "0006-failure-events",
  "0007-hold",
  "0008-operator-sessions",
];

onEachDatabase("migrations", (kind) => {
  test("an empty database, migrated once and again", async () => {
    const storage = openUrl(await kind.createUrl());
    assert.deepEqual(await schemaState(storage.database), { pending: NAMES, unknown: [], empty: true });
    assert.deepEqual(await migrate(storage.database), NAMES);
    assert.deepEqual(await migrate(storage.database), []);
    assert.deepEqual(await schemaState(storage.database), { pending: [], unknown: [], empty: false });
    await storage.close();
  });

  test("an older database, and one that a newer release has used", async () => {
    const storage = openUrl(await kind.createUrl());
    const { database } = storage;
    await migrate(database);
    await sql`update kysely_migration set name = '9999-later' where name = ${NAMES[0]}`.execute(
      database.queries,
    );
    const pending = NAMES.slice(0, 1);
    assert.deepEqual(await schemaState(database), { pending, unknown: ["9999-later"], empty: false });
    await assert.rejects(migrate(database), /9999-later/);
    await sql`delete from kysely_migration`.execute(database.queries);
    assert.deepEqual(await schemaState(database), { pending: NAMES, unknown: [], empty: true });
    await storage.close();
  });

  test("an operator of the first release keeps its token", async () => {
    const { database, operators, close } = openUrl(await kind.createUrl());
    await initial(database.columnTypes).up(database.queries);
    await sql`insert into operators (name, token_digest, role, created_at)
      values ('kim', 'digest', 'viewer', 1)`.execute(database.queries);
    await operatorRotation(database.columnTypes).up(database.queries);
    const [found] = await operators.findByDigests(["digest"]);
    assert.deepEqual(
      [found?.name, found?.previousTokenDigest, found?.previousTokenUntil],
      ["kim", null, null],
    );
    await close();
  });

  test("what an older release has ticketed is found by its codes", async () => {
    const { database, orderSearch, close } = openUrl(await kind.createUrl());
    await initial(database.columnTypes).up(database.queries);
    await sql`insert into orders (id, partner_id, external_order_id, trace_id, callback_url, pipeline_status, reference,
      created_at, updated_at, raw_payload) values (7, 'demo', 'EXT', '0198f0c4-0000-7000-8000-000000000000', '',
      'ticketed', 'REF-7', 1, 1, '{}')`.execute(database.queries);
    await sql`insert into tickets (order_id, partner_id, no, body) values (7, 'demo', 1, '{"barcode":"88-1"}'),
      (7, 'demo', 2, '"PLAIN"'), (7, 'demo', 3, '{}')`.execute(database.queries);
    await sql`insert into ticketing_jobs (id, order_id, partner_id, status, created_at, updated_at)
      values (7, 7, 'demo', 'succeeded', 1, 1)`.execute(database.queries);
    await search(database.columnTypes).up(database.queries);
    const tickets = await database.queries.selectFrom("tickets").select("code").orderBy("no").execute();
    assert.deepEqual(
      tickets.map(({ code }) => code),
      ["88-1", "PLAIN", null],
    );
    for (const q of ["88-1", "PLAIN", "REF-7"])
      assert.deepEqual(await orderSearch.ids({ ...ANY_ORDER, q }, 0, 5), [7], q);
    await close();
  });

  test("every table carries partner_id", async () => {
    const storage = openUrl(await kind.createUrl());
    await migrate(storage.database);
    const tables = await storage.database.queries.introspection.getTables();
    const without = tables.filter(({ columns }) => !columns.some(({ name }) => name === "partner_id"));
    assert.deepEqual(without, []);
    assert.ok(tables.length >= 12);
    await storage.close();
  });

  test("two processes at once: one migrates, the other finds nothing to do", async () => {
    const url = await kind.createUrl();
    const processes = [otherProcess("migrate", url), otherProcess("migrate", url)];
    const said = (await Promise.all(processes.map((process) => process.said))) as string[][];
    assert.deepEqual(said.flat(), NAMES);
    const storage = openUrl(url);
    assert.deepEqual((await schemaState(storage.database)).pending, []);
    await storage.close();
  });

  test("killed half-way it leaves what was there before, and holds nobody up", async () => {
    const url = await kind.createUrl();
    const killed = otherProcess("migrateHalf", url);
    assert.equal(await killed.said, "in the middle");
    await killed.kill();
    const storage = openUrl(url);
    const tables = await storage.database.queries.introspection.getTables();
    assert.deepEqual(tables, []);
    assert.deepEqual(await migrate(storage.database), NAMES);
    await storage.close();
  });
});

test("a migration that has to wait for a table lets others pass, and comes again", async () => {
  const url = await POSTGRES.createUrl();
  const [holder, storage] = [openUrl(url), openUrl(url)];
  const { run, queries } = holder.database;
  const waits = async (): Promise<boolean> => {
    const waiting =
      "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    return (await run(waiting, [])).length > 0;
  };
  let migrating: Promise<string[]>;
  await queries.transaction().execute(async (held) => {
    await sql`create table partners (id integer)`.execute(held);
    migrating = migrate(storage.database);
    await until("the migration waits", waits);
    await until("it waits no more", async () => !(await waits()));
    await sql`drop table partners`.execute(held);
  });
  assert.deepEqual(await migrating!, NAMES);
  await Promise.all([holder.close(), storage.close()]);
});

// With a gateway; the migration that hears of it comes again, as above.
test("of two transactions that wait for each other, one hears of it as of a lock", async () => {
  const { database, close } = openUrl(await POSTGRES.createUrl());
  await initial(database.columnTypes).up(database.queries);
  const holding = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const crossing = [
    ["orders", "operators"],
    ["operators", "orders"],
  ].map(([first = "", second = ""], at) =>
    database.queries.transaction().execute(async (transaction) => {
      await sql`lock table ${sql.table(first)}`.execute(transaction);
      holding[at]!.resolve();
      await holding[1 - at]!.promise;
      await sql`lock table ${sql.table(second)}`.execute(transaction);
    }),
  );
  const ends = await Promise.allSettled(crossing);
  const reasons = ends.flatMap((end) => (end.status === "rejected" ? [end.reason as unknown] : []));
  assert.equal(reasons.length, 1);
  assert.ok(reasons[0] instanceof RowLocked);
  await close();
});
