import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { renameSync } from "node:fs";
import { afterEach, beforeEach, suite, test } from "node:test";
import { sql } from "kysely";
import { DatabaseUnavailable, type Run } from "../../src/storage/database.ts";
import { openStorage, type Storage } from "../../src/storage/open.ts";
import { migrate } from "../../src/storage/schema.ts";
import { openUrl, SQLITE } from "../support/databases.ts";
import { addPartner, PARTNER_ID } from "../support/way.ts";
import { claim, NOW, place, rowsIn } from "./fixtures.ts";
import { otherProcess } from "./other-process.ts";

const FULL = 2;
const NORMAL = 1;

suite("storage on SQLite alone", () => {
  let url: string;
  let storage: Storage;
  beforeEach(async () => {
    url = await SQLITE.migratedUrl();
    storage = openUrl(url);
    await addPartner(storage, PARTNER_ID);
  });
  afterEach(() => storage.close());

  const pragma = async (run: Run, name: string) => {
    const [row] = await run<Record<string, unknown>>(`pragma ${name}`, []);
    return Object.values(row!)[0];
  };

  test("another process that writes beside is waited for, by every kind of statement", async () => {
    const other = otherProcess("hold", url, "400");
    assert.equal(await other.said, "held");
    assert.equal(await rowsIn(storage, "orders"), 0, "readers wait for nobody");
    const [placed, taken, added, rotated] = await Promise.all([
      place(storage),
      storage.rateBuckets.take([{ partnerId: "p", kind: "orders", capacity: 5, perSec: 1, wanted: 1 }], NOW),
      addPartner(storage, "beside"),
      storage.partners.rotateToken(PARTNER_ID, "digest", NOW, NOW),
    ]);
    assert.deepEqual([placed.length, taken[0]!.granted, added, rotated], [1, 1, undefined, true]);
    await other.kill();
  });

  test("a dynamic statement alone waits too", async () => {
    const other = otherProcess("hold", url, "300");
    assert.equal(await other.said, "held");
    assert.equal(await storage.partners.setDisabled(PARTNER_ID, true, NOW), true);
    await other.kill();
  });

  test("one that does not let go is DatabaseUnavailable, nothing is written, and FULL still holds", async () => {
    const other = otherProcess("hold", url, "60000");
    assert.equal(await other.said, "held");
    const bucket = { partnerId: "p", kind: "orders", capacity: 5, perSec: 1, wanted: 1 } as const;
    await Promise.all([
      assert.rejects(place(storage), DatabaseUnavailable),
      assert.rejects(storage.rateBuckets.take([bucket], NOW), DatabaseUnavailable),
    ]);
    await other.kill();
    assert.equal(await pragma(storage.database.run, "synchronous"), FULL);
    assert.equal(await rowsIn(storage, "orders"), 0);
    assert.equal((await place(storage)).length, 1);
  });

  test("one process serves, however it ends; others may write beside it", async () => {
    const serving = otherProcess("serve", url);
    assert.equal(await serving.said, "serving");
    assert.throws(() => storage.database.serveAlone(), /another process is serving/);
    assert.equal((await place(storage)).length, 1);
    await serving.kill();
    storage.database.serveAlone();
    const next = openUrl(url);
    assert.throws(() => next.database.serveAlone(), /another process is serving/);
    await storage.close();
    next.database.serveAlone();
    storage = next;
  });

  test("WAL, and FULL for whatever must last: also between, after and beside what need not", async () => {
    const { database } = storage;
    assert.equal(await pragma(database.run, "journal_mode"), "wal");
    assert.equal(await pragma(database.run, "synchronous"), FULL);
    const seen: (readonly [durable: boolean, level: unknown])[] = [];
    const pause = () => new Promise<void>((resolve) => setImmediate(resolve));
    const kinds = Array.from({ length: 60 }, (_, index) => ({
      durable: index % 3 !== 0,
      fails: index % 4 === 0,
    }));
    const work = kinds.map(async ({ durable, fails }, index) => {
      if (index % 5 === 0) {
        const { rows } = await sql<{ synchronous: number }>`pragma synchronous`.execute(database.queries);
        seen.push([true, rows[0]!.synchronous]);
      }
      await database.transact(
        async (tx) => {
          await tx("update partners set updated_at = updated_at + 1", []);
          await pause();
          seen.push([durable, await pragma(tx, "synchronous")]);
          if (fails) await tx("insert into partners (partner_id) values (null)", []);
        },
        { durable },
      );
    });
    const results = await Promise.allSettled(work);
    assert.deepEqual(
      results.map(({ status }) => status === "rejected"),
      kinds.map(({ fails }) => fails),
    );
    assert.equal(seen.length, 72);
    for (const [durable, level] of seen) assert.equal(level, durable ? FULL : NORMAL);
    assert.equal(await pragma(database.run, "synchronous"), FULL);
  });

  test("findings tell what holds, not what a passing transaction set", async () => {
    const { database } = storage;
    let goOn = (): void => {};
    const gate = new Promise<void>((resolve) => (goOn = resolve));
    const passing = database.transact(() => gate, { durable: false });
    await new Promise((resolve) => setImmediate(resolve));
    const inspected = database.inspect();
    goOn();
    await passing;
    for (const { name, ok, value } of await inspected) assert.ok(ok, `${name} = ${value}`);
  });

  test("statements that come during a transaction wait for its end", async () => {
    const { database } = storage;
    let rows = -1;
    const reading = database
      .transact(async (tx) => {
        await tx(
          "insert into partners (partner_id, name, token_digest, created_at, updated_at) values ('x', 'x', 'x', 0, 0)",
          [],
        );
        void rowsIn(storage, "partners").then((n) => (rows = n));
        await new Promise((resolve) => setTimeout(resolve, 20));
        assert.equal(rows, -1);
        throw new Error("rolled back");
      })
      .catch((error: unknown) => error);
    assert.match(String(await reading), /rolled back/);
    assert.equal(await rowsIn(storage, "partners"), 1);
    assert.equal(rows, 1);
  });

  test("a file that is moved away under the gateway takes no more orders, and works again where it was", async () => {
    const path = url.slice("sqlite:///".length);
    await place(storage);
    renameSync(path, `${path}.moved`);
    await assert.rejects(place(storage), DatabaseUnavailable);
    await assert.rejects(storage.database.run("select 1 as one", []), DatabaseUnavailable);
    renameSync(`${path}.moved`, path);
    await place(storage);
    assert.equal(await rowsIn(storage, "orders"), 2);
  });

  test("a missing file is an error for those who only look, with a way out", () => {
    const missing = `sqlite:///./${randomUUID()}.db`;
    const options = { url: missing, poolSize: 1, preparedStatements: true };
    assert.throws(
      () => openStorage({ ...options, create: false }),
      /there is no database at .*`wavegate migrate`/,
    );
  });

  test("a database in memory works like any", async () => {
    const memory = openUrl("sqlite::memory:");
    await migrate(memory.database);
    memory.database.serveAlone();
    await addPartner(memory, PARTNER_ID);
    await place(memory);
    assert.equal((await claim(memory, "ticketing")).length, 1);
    await memory.close();
  });
});
