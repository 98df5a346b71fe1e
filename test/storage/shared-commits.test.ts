import assert from "node:assert/strict";
import { readFileSync, renameSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { after, afterEach, before, beforeEach, suite, test } from "node:test";
import { DatabaseUnavailable, type Run } from "../../src/storage/database.ts";
import type { Storage } from "../../src/storage/open.ts";
import { onEachDatabase, openUrl, SQLITE } from "../support/databases.ts";

const MAX_GROUP = 64;
// Of `pragma synchronous`: whether a commit waits for the disk.
const FULL = 2;
const NORMAL = 1;
const TABLE = "create table notes (name text primary key, body text)";
const INSERT = "insert into notes (name) values ($1)";
const add = (tx: Run, name: string) => tx(INSERT, [name]);

async function names(storage: Storage): Promise<string[]> {
  const rows = await storage.database.run<{ name: string }>("select name from notes order by name", []);
  return rows.map((row) => row.name);
}

const macrotask = () => new Promise<void>((resolve) => setImmediate(resolve));

onEachDatabase("transactions that come together", (kind) => {
  let storage: Storage;
  before(async () => {
    storage = openUrl(await kind.createUrl());
    await storage.database.run(TABLE, []);
  });
  beforeEach(() => storage.database.run("delete from notes", []));
  after(() => storage.close());

  test("those that fail are undone alone, whatever they fail of, and hear their own reason", async () => {
    const { transact, isDataFault } = storage.database;
    const works: ((tx: Run) => Promise<unknown>)[] = [
      (tx) => add(tx, "a"),
      async (tx) => {
        await add(tx, "b");
        await add(tx, "a");
      },
      (tx) => add(tx, "c"),
      async (tx) => {
        await add(tx, "d");
        throw new Error("of its own");
      },
      (tx) => add(tx, "e"),
      async (tx) => {
        await add(tx, "f");
        void add(tx, "f");
      },
      async (tx) => {
        void add(tx, "g");
        return "its result";
      },
    ];
    // What is not awaited would wait for the first to decide about `a`: a row of its own, committed before.
    const [first, ...rest] = works;
    if (kind !== SQLITE) await transact(first!);
    const results = await Promise.allSettled((kind === SQLITE ? works : rest).map((work) => transact(work)));
    const told = results
      .slice(-6)
      .map((result) =>
        result.status === "fulfilled"
          ? "done"
          : isDataFault(result.reason)
            ? "its data"
            : String(result.reason),
      );
    assert.deepEqual(told, ["its data", "done", "Error: of its own", "done", "its data", "done"]);
    const last = results.at(-1)!;
    assert.equal(last.status === "fulfilled" && last.value, "its result");
    assert.deepEqual(await names(storage), ["a", "c", "e", "g"]);
  });

  const afterwards: Record<string, (tx: Run) => Promise<unknown>> = {
    "nothing else": async () => {},
    "a statement that isn't awaited": async (tx) => void add(tx, "after"),
    "a statement that is": (tx) => add(tx, "after").catch(() => {}),
    "a pause": macrotask,
    "an error of its own": async () => {
      throw new Error("a consequence");
    },
    "a statement that fails for it": (tx) => tx("select broken from nowhere", []),
  };
  for (const [what, follow] of Object.entries(afterwards)) {
    test(`one that isn't awaited fails, then comes ${what}: nothing is written, and the first reason is told`, async () => {
      const { transact, isDataFault } = storage.database;
      await transact((tx) => add(tx, "taken"));
      const failed = transact(async (tx) => {
        await add(tx, "before");
        void add(tx, "taken");
        await follow(tx);
      });
      const [error] = await Promise.all([failed.catch((reason: unknown) => reason), macrotask()]);
      assert.ok(isDataFault(error), `told: ${String(error)}`);
      assert.deepEqual(await names(storage), ["taken"]);
    });
  }
});

/** Commits in a write-ahead log: the frames that say how large the database is now. https://www.sqlite.org/fileformat2.html#walformat */
function commitsIn(wal: Buffer): number {
  const HEADER = 32;
  const FRAME_HEADER = 24;
  const pageSize = wal.readUInt32BE(8);
  const salts = wal.subarray(16, 24);
  let commits = 0;
  for (let at = HEADER; at < wal.length; at += FRAME_HEADER + pageSize) {
    if (!wal.subarray(at + 8, at + 16).equals(salts)) break;
    if (wal.readUInt32BE(at + 4) !== 0) commits += 1;
  }
  return commits;
}

suite("commits that transactions share on SQLite", () => {
  let storage: Storage;
  let path: string;
  beforeEach(async () => {
    const url = await SQLITE.createUrl();
    path = url.slice("sqlite:///".length);
    storage = openUrl(url);
    await storage.database.run(TABLE, []);
  });
  afterEach(() => storage.close());
  const transact: Storage["database"]["transact"] = (work, options) =>
    storage.database.transact(work, options);
  const commits = (): number => commitsIn(readFileSync(`${path}-wal`));
  const together = (count: number, from = 0) =>
    Array.from({ length: count }, (_, index) => transact((tx) => add(tx, `${from + index}`)));

  test("one for those of a turn, up to a limit; one each for those that come alone", async () => {
    const before = commits();
    await Promise.all(together(MAX_GROUP));
    assert.equal(commits() - before, 1);
    await Promise.all(together(MAX_GROUP + 1, 100));
    assert.equal(commits() - before, 3);
    for (const name of ["x", "y"]) await transact((tx) => add(tx, name));
    assert.equal(commits() - before, 5);
    assert.equal((await names(storage)).length, 2 * MAX_GROUP + 3);
  });

  test("what comes meanwhile shares the next; nobody hears of his before it is there", async () => {
    const before = commits();
    const gate = Promise.withResolvers<void>();
    const heard: string[] = [];
    const hear = (name: string, work: (tx: Run) => Promise<unknown>) =>
      transact(work).then(() => heard.push(`${name} at ${commits() - before}`));
    const begun = Promise.withResolvers<void>();
    const first = [
      hear("a", (tx) => add(tx, "a")),
      hear("b", async (tx) => {
        begun.resolve();
        await gate.promise;
        await add(tx, "b");
      }),
    ];
    await begun.promise;
    const second = ["c", "d"].map((name) => hear(name, (tx) => add(tx, name)));
    await macrotask();
    const tooEarly = [...heard];
    gate.resolve();
    await Promise.all([...first, ...second]);
    assert.deepEqual(tooEarly, []);
    assert.deepEqual(heard, ["a at 1", "b at 1", "c at 2", "d at 2"]);
  });

  test("what must last waits for the disk, what need not doesn't; each kind shares a commit of its own", async () => {
    const before = commits();
    const levels = { durable: new Set<unknown>(), passing: new Set<unknown>() };
    const note = (index: number, durable: boolean, fails: boolean) =>
      transact(
        async (tx) => {
          await add(tx, `${index}`);
          const [row] = await tx<{ synchronous: number }>("pragma synchronous", []);
          levels[durable ? "durable" : "passing"].add(row!.synchronous);
          if (fails) throw new Error("of its own");
        },
        { durable },
      );
    const all = Array.from({ length: 24 }, (_, index) => note(index, index % 3 === 0, index % 5 === 0));
    const results = await Promise.allSettled(all);
    assert.deepEqual(levels, { durable: new Set([FULL]), passing: new Set([NORMAL]) });
    assert.equal(commits() - before, 2);
    assert.equal((await names(storage)).length, 19);
    assert.equal(results.filter(({ status }) => status === "rejected").length, 5);
    const [row] = await storage.database.run<{ synchronous: number }>("pragma synchronous", []);
    assert.equal(row!.synchronous, FULL);
  });

  test("a commit that can't be is everybody's failure, and nobody's rows are there", async () => {
    const moved = `${path}.moved`;
    const results = await Promise.allSettled([
      transact((tx) => add(tx, "a")),
      transact(async (tx) => {
        await add(tx, "b");
        renameSync(path, moved);
      }),
      transact((tx) => add(tx, "c")),
    ]);
    for (const result of results) {
      assert.ok(result.status === "rejected" && result.reason instanceof DatabaseUnavailable);
    }
    renameSync(moved, path);
    assert.deepEqual(await names(storage), []);
    await Promise.all(together(2));
    assert.deepEqual(await names(storage), ["0", "1"]);
  });

  test("a full disk ends the whole transaction: all hear it, nothing is written, not even what comes after", async () => {
    const { run } = storage.database;
    const [pages] = await run<{ page_count: number }>("pragma page_count", []);
    await run(`pragma max_page_count = ${pages!.page_count + 2}`, []);
    const tooMuch = "insert into notes (name, body) values ($1, hex(zeroblob(1000000)))";
    const results = await Promise.allSettled([
      transact((tx) => add(tx, "a")),
      transact(async (tx) => {
        void tx(tooMuch, ["b"]);
        void add(tx, "b after");
      }),
      transact((tx) => add(tx, "c")),
    ]);
    assert.deepEqual(await names(storage), [], "written outside of any transaction");
    for (const result of results) {
      assert.ok(result.status === "rejected" && result.reason instanceof DatabaseUnavailable);
    }
    await run("pragma max_page_count = 1000000", []);
    await Promise.all(together(2));
    assert.deepEqual(await names(storage), ["0", "1"]);
  });

  test("who comes after a transaction that took its time doesn't wait as long again", async () => {
    const slowMs = 600;
    await transact(() => new Promise((resolve) => setTimeout(resolve, slowMs)));
    let timer: NodeJS.Timeout | undefined;
    const asLong = new Promise((resolve) => (timer = setTimeout(resolve, slowMs * 0.8, "later")));
    const next = transact((tx) => add(tx, "next")).then(() => "first");
    assert.equal(await Promise.race([next, asLong]), "first");
    clearTimeout(timer);
    await next;
  });

  suite("while another writes", () => {
    let other: DatabaseSync;
    beforeEach(() => {
      other = new DatabaseSync(path);
      other.exec("begin immediate");
    });
    afterEach(() => other.close());

    test("they wait for its end, and are all there", async () => {
      const waiting = together(5);
      for (let turn = 0; turn < 20; turn += 1) await macrotask();
      other.exec("insert into notes (name) values ('other'); commit");
      await Promise.all(waiting);
      assert.deepEqual(await names(storage), ["0", "1", "2", "3", "4", "other"]);
    });

    test("and does not end: all are refused, nothing is written, and the next are done", async () => {
      const results = await Promise.allSettled(together(3));
      for (const result of results) {
        assert.ok(result.status === "rejected" && result.reason instanceof DatabaseUnavailable);
      }
      other.exec("rollback");
      assert.deepEqual(await names(storage), []);
      await Promise.all(together(3));
      assert.equal((await names(storage)).length, 3);
    });
  });

  test("what comes after the close is refused, and takes nothing down with it", async () => {
    const closed = openUrl(await SQLITE.createUrl());
    const early = closed.database.transact(async () => "done").catch(() => "refused");
    await closed.close();
    const late = closed.database.transact(async () => "done").catch(() => "refused");
    let timer: NodeJS.Timeout | undefined;
    const never = new Promise((resolve) => (timer = setTimeout(resolve, 2_000, "never")));
    const heard = [await Promise.race([early, never]), await Promise.race([late, never])];
    clearTimeout(timer);
    assert.deepEqual(heard, ["refused", "refused"]);
  });
});
