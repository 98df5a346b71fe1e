import { closeSync, existsSync, openSync, statSync } from "node:fs";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from "kysely";
import {
  assignments,
  type ColumnTypes,
  CommitUnknown,
  type Database,
  DatabaseUnavailable,
  type Fields,
  type Finding,
  isRowSet,
  type Parameter,
  type RowSet,
  type Run,
  type Scalar,
  type SqlWords,
} from "../database.ts";
import type { Tables } from "../tables.ts";
import { backupTo } from "./sqlite-backup.ts";
import { BUSY_COLUMNS, IN_FLIGHT, IN_LANE, inTurns } from "./turns.ts";

const columnTypes: ColumnTypes = {
  id: "integer primary key autoincrement",
  integer: "integer",
  real: "real",
  text: "text",
  uuid: "text",
  hotTable: "strict",
  table: "strict",
};

/** A parameter that the driver fills with its clock. */
const NOW = "$now";
/** Begins a statement of one row whose last parameter is the clock. */
const CLOCKED = "/* clock */ ";

/** Reads `r.x` from a parameter: its fields come first, `$2` follows them, and then the clock. */
function ofOneRow(text: string, fields: Fields): string {
  const names = Object.keys(fields);
  const others = [...text.matchAll(/\$(\d+)/g)].map(([, n]) => Number(n) - 1);
  const clock = names.length + Math.max(0, ...others) + 1;
  return (text.includes(NOW) ? CLOCKED + text : text)
    .replaceAll(NOW, `?${clock}`)
    .replaceAll(/\$(\d+)/g, (_, n: string) => `?${names.length + Number(n) - 1}`)
    .replaceAll(/\br\.(\w+)/g, (_, name: string) => `?${names.indexOf(name) + 1}`);
}

const words: SqlWords = {
  // The process's clock (SPEC section 5), read once for each run of a statement.
  now: (parameter) => `coalesce(${parameter}, ${NOW})`,
  rows: (parameter, columns) => {
    const fields = Object.keys(columns).map((name) => `value ->> '${name}' as ${name}`);
    return `(select ${fields.join(", ")} from json_each(${parameter}))`;
  },
  // Row by row: a statement of one row costs less than to take a JSON text apart.
  insertRows: (table, values, fields) =>
    ofOneRow(
      `insert into ${table} (${Object.keys(values).join(", ")}) values (${Object.values(values).join(", ")})`,
      fields,
    ),
  updateRows: (table, set, where, fields) =>
    ofOneRow(`update ${table} set ${assignments(set)} where ${where}`, fields),
  amongIds: (parameter) => `in (select value from json_each(${parameter}))`,
  amongFew: (subquery) => `in (${subquery})`,
  dueJobs: (table, { limit, busy, slotsPerPartner, partners, since }) =>
    inTurns(
      `select j.id, j.partner_id, j.lane, j.next_attempt_at, coalesce(b.slots, ${slotsPerPartner}) as slots,
        ${IN_LANE} as in_lane, ${IN_FLIGHT} as in_flight
      from partners p
      join (select 0 as lane union all select 1) l
      left join ${words.rows(busy, BUSY_COLUMNS)} b on b.partner_id = p.partner_id
      join ${table} j on j.id in (
        select id from ${table}
        where status = 'pending' and partner_id = p.partner_id and lane = l.lane
          and next_attempt_at <= (select now from clock) and next_attempt_at >= ${since}
        order by next_attempt_at limit ${limit})
      where ${partners} and coalesce(b.slots, ${slotsPerPartner}) > 0`,
      limit,
    ),
  forUpdate: "",
  forUpdateSkipLocked: "",
  // A table that has never had a row has none here.
  skipIds: (table) => [
    `insert into sqlite_sequence (name, seq) select '${table}', $1
      where not exists (select 1 from sqlite_sequence where name = '${table}')`,
    `update sqlite_sequence set seq = $1 where name = '${table}' and seq < $1`,
  ],
  least: "min",
  greatest: "max",
};

/** A transaction that waits for its turn. */
interface Waiting {
  /** @returns what tells its result once that is committed */
  run(): Promise<() => void>;
  reject(error: unknown): void;
}

/** Transactions that share a commit at most. */
const MAX_GROUP = 64;
/** A group waits for company, where there is much to do: half as long as the last commit took, and at most so long. */
const LONGEST_WAIT_MS = 4;

/** How long a transaction tries to get past another process's, before the caller hears of it. */
const BUSY_DEADLINE_MS = 2_000;
const BUSY_PAUSE_MS = 5;

// Primary result codes of SQLite: https://www.sqlite.org/rescode.html
const BUSY = new Set([5, 6]);
const UNAVAILABLE = new Set([8, 10, 13, 14, 23, 26]);
const DATA_FAULT = new Set([12, 18, 19, 20, 25]);
const IO_ERROR = 10;

/** The primary result code of an error of SQLite, or null for any other. */
function resultCode(error: unknown): number | null {
  if (!(error instanceof Error) || !("errcode" in error)) return null;
  return typeof error.errcode === "number" ? error.errcode & 0xff : null;
}

function isBusy(error: unknown): boolean {
  return BUSY.has(resultCode(error) ?? -1);
}

/** Turns the errors that nobody's data has caused into {@link DatabaseUnavailable}. */
function translate(error: unknown): unknown {
  const code = resultCode(error) ?? -1;
  if (!BUSY.has(code) && !UNAVAILABLE.has(code)) return error;
  return new DatabaseUnavailable("the SQLite database can't be used at the moment", { cause: error });
}

/** Other processes write beside: their transactions are short, and waited for. */
async function untilNotBusy<T>(work: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + BUSY_DEADLINE_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isBusy(error) || performance.now() > deadline) throw translate(error);
      await sleep(BUSY_PAUSE_MS);
    }
  }
}

export interface SqliteOptions {
  /** A path, or `:memory:`. */
  readonly path: string;
  /** False: a missing file is an error, for commands that only look. */
  readonly create: boolean;
}

/**
 * SQLite by `node:sqlite`, with WAL and `synchronous=FULL`: a commit has been synced when it returns.
 *
 * One connection, whose users take turns: statements are synchronous, but a transaction awaits between them,
 * and nobody else's statement may slip in.
 * @throws Error when the file can't be opened
 */
export function openSqlite(options: SqliteOptions): Database {
  const { path, create } = options;
  if (!create && path !== ":memory:" && !existsSync(path)) {
    throw new Error(`there is no database at ${path}; \`wavegate serve\` or \`wavegate migrate\` makes one`);
  }
  // Buyers' data is its owner's alone; the files beside it take the same mode.
  if (path !== ":memory:") closeSync(openSync(path, "a", 0o600));
  const connection = new DatabaseSync(path, { timeout: 0, enableForeignKeyConstraints: false });
  // Others may hold the file for a moment while they switch it to WAL or recover it.
  connection.exec("pragma busy_timeout = 2000; pragma journal_mode = wal; pragma synchronous = full");
  // What is deleted or blanked is overwritten: a purge that leaves the bytes in free pages is none.
  connection.exec("pragma secure_delete = on");
  connection.exec("pragma busy_timeout = 0; pragma temp_store = memory; pragma cache_size = -65536");
  // A page that changes often goes into the file once in 8 MiB of log; with more, those who write wait longer for that.
  connection.exec("pragma wal_autocheckpoint = 2000");

  const statements = new Map<string, StatementSync>();
  function prepared(text: string): StatementSync {
    let statement = statements.get(text);
    if (!statement) statements.set(text, (statement = connection.prepare(text)));
    return statement;
  }

  const runNow = <Row extends object>(text: string, parameters: readonly Parameter[]): Row[] => {
    const [first, ...others] = parameters as [Parameter, ...Scalar[]];
    if (parameters.length > 0 && isRowSet(first)) {
      const clock = text.startsWith(CLOCKED) ? [Date.now()] : [];
      return runForEach<Row>(prepared(text), first, [...others, ...clock]);
    }
    const named: Record<string, Scalar> = {};
    for (let index = 0; index < parameters.length; index += 1) {
      named[`$${index + 1}`] = parameters[index] as Scalar;
    }
    if (text.includes(NOW)) named[NOW] = Date.now();
    return prepared(text).all(named) as Row[];
  };

  const requireFile = createFileWatch(path);
  const turns = createTurns();
  let serving: DatabaseSync | null = null;

  /**
   * Runs what waits in one transaction, each in a savepoint of its own, so that all of them share the wait for the disk.
   * One that fails is undone alone.
   * @returns milliseconds that the commit took
   */
  async function runTogether(group: readonly Waiting[], durable: boolean): Promise<number> {
    const release = await turns.take();
    let committing = false;
    let tookMs = 0;
    try {
      if (!durable) connection.exec("pragma synchronous = normal");
      connection.exec("begin immediate");
      const done: (() => void)[] = [];
      for (const waiting of group) {
        prepared("savepoint one").run();
        try {
          done.push(await waiting.run());
        } catch (error) {
          // A full disk ends the whole transaction by itself.
          if (!connection.isTransaction) throw error;
          prepared("rollback to one").run();
          waiting.reject(error);
        }
        prepared("release one").run();
      }
      requireFile();
      committing = true;
      const committedAt = performance.now();
      connection.exec("commit");
      tookMs = performance.now() - committedAt;
      for (const resolve of done) resolve();
    } catch (error) {
      if (connection.isOpen && connection.isTransaction) connection.exec("rollback");
      const isHalfWay = committing && resultCode(error) === IO_ERROR;
      const failure = isHalfWay ? new CommitUnknown("a commit failed half-way", { cause: error }) : error;
      for (const waiting of group) waiting.reject(failure);
    } finally {
      try {
        if (!durable && connection.isOpen) connection.exec("pragma synchronous = full");
      } finally {
        release();
      }
    }
    return tookMs;
  }

  // What need not last doesn't wait for the disk with the others.
  const lasting = createGathering((group) => runTogether(group, true), LONGEST_WAIT_MS);
  const passing = createGathering((group) => runTogether(group, false), 0);

  function attempt<T>(work: (run: Run) => Promise<T>, durable: boolean): Promise<T> {
    return new Promise((resolve, reject) => {
      (durable ? lasting : passing)({
        reject,
        run: async () => {
          // As on PostgreSQL: after a failure nothing more is run, and the first is the transaction's. A full disk has
          // ended it by then, and what came next would be committed by itself.
          const failures: unknown[] = [];
          const runUnlessFailed: Run = async <Row extends object>(
            text: string,
            parameters: readonly Parameter[],
          ) => {
            if (failures.length > 0) throw failures[0];
            try {
              return runNow<Row>(text, parameters);
            } catch (error) {
              failures.push(error);
              throw error;
            }
          };
          const send: Run = (text, parameters) => {
            const answer = runUnlessFailed<never>(text, parameters);
            answer.catch(() => {});
            return answer;
          };
          const result = await work(send).catch((error: unknown) => {
            throw failures.length > 0 ? failures[0] : error;
          });
          if (failures.length > 0) throw failures[0];
          return () => resolve(result);
        },
      });
    });
  }

  async function inTurn<T>(work: () => T): Promise<T> {
    const release = await turns.take();
    try {
      return work();
    } finally {
      release();
    }
  }

  const run: Run = <Row extends object>(text: string, parameters: readonly Parameter[]) =>
    untilNotBusy(() =>
      inTurn(() => {
        requireFile();
        return runNow<Row>(text, parameters);
      }),
    );

  return {
    name: "SQLite",
    words,
    manyProcesses: false,
    batchesAtOnce: MAX_GROUP,
    // What lives in memory is seen by its connection alone, and waits for no disk.
    ownThread: path !== ":memory:",
    serveAlone: () => {
      if (path !== ":memory:") serving = holdLock(`${path}-serving`, path);
    },
    queries: new Kysely<Tables>({
      dialect: {
        createAdapter: () => new TransactionalSqliteAdapter(),
        createDriver: () => createDriver(connection, turns),
        createIntrospector: (db) => new SqliteIntrospector(db),
        createQueryCompiler: () => new SqliteQueryCompiler(),
      },
    }),
    columnTypes,
    migrationLock: null,
    run,
    look: (work) => work(run),
    transact: (work, { durable = true } = {}) => untilNotBusy(() => attempt(work, durable)),
    isDataFault: (error) => DATA_FAULT.has(resultCode(error) ?? -1),
    wakeups: null,
    waiting: () => 0,
    backup: path === ":memory:" ? null : (copy, onProgress) => backupTo(path, copy, onProgress),
    inspect: () => inTurn(() => inspect(connection, path)),
    close: () =>
      inTurn(() => {
        serving?.close();
        connection.close();
      }),
  };
}

function runForEach<Row>(
  statement: StatementSync,
  { fields, rows }: RowSet,
  others: readonly Scalar[],
): Row[] {
  const tells = statement.columns().length > 0;
  const results: Row[] = [];
  for (const row of rows) {
    const values = fields.map((field) => row[field] ?? null);
    if (tells) results.push(...(statement.all(...values, ...others) as Row[]));
    else statement.run(...values, ...others);
  }
  return results;
}

/**
 * Gathers what waits into groups that are run one after the other. Where more has come while one was committed, the next
 * waits a moment for company: each commit costs as much as several orders, and a wait for the disk.
 */
function createGathering(runGroup: (group: readonly Waiting[]) => Promise<number>, longestMs: number) {
  let waiting: Waiting[] = [];
  let busy = false;

  async function run(): Promise<void> {
    const group = waiting.slice(0, MAX_GROUP);
    waiting = waiting.slice(MAX_GROUP);
    const companyMs = Math.min((await runGroup(group)) / 2, longestMs);
    setImmediate(() => {
      if (waiting.length > 0 && longestMs > 0) setTimeout(() => void run(), companyMs);
      else if (waiting.length > 0) void run();
      else busy = false;
    });
  }

  return (one: Waiting): void => {
    waiting.push(one);
    if (busy) return;
    busy = true;
    // What else is ready in this turn of the event loop joins.
    setImmediate(() => void run());
  };
}

/**
 * Throws when the file is no longer where it was opened. SQLite would go on writing to what the name meant then, and
 * orders that were accepted would be gone with the process.
 */
function createFileWatch(path: string): () => void {
  if (path === ":memory:") return () => {};
  const opened = statSync(path);
  return () => {
    const now = statSync(path, { throwIfNoEntry: false });
    if (now?.ino === opened.ino && now.dev === opened.dev) return;
    throw new DatabaseUnavailable(
      `${path} was moved, removed or replaced while it was in use: stop, and restore it`,
    );
  };
}

/**
 * A lock that the kernel takes back when the process ends, by SIGKILL too: the write lock of an empty database
 * beside the file.
 */
function holdLock(lockPath: string, path: string): DatabaseSync {
  const lock = new DatabaseSync(lockPath, { timeout: 0 });
  try {
    lock.exec("pragma locking_mode = exclusive; begin exclusive");
    return lock;
  } catch (error) {
    lock.close();
    if (!isBusy(error)) throw error;
    throw new Error(
      `another process is serving ${path}: SQLite has one serving process; stop it first, or use PostgreSQL for several`,
      { cause: error },
    );
  }
}

function inspect(connection: DatabaseSync, path: string): Finding[] {
  const pragma = (name: string): string =>
    String(Object.values(connection.prepare(`pragma ${name}`).get() ?? {})[0]);
  const version = connection.prepare("select sqlite_version() as version").get();
  const memory = path === ":memory:";
  return [
    { name: "version", value: `SQLite ${String(version?.["version"])}`, ok: true },
    {
      name: "synchronous",
      value: pragma("synchronous") === "2" ? "full" : pragma("synchronous"),
      ok: pragma("synchronous") === "2",
    },
    {
      name: "journal_mode",
      value: pragma("journal_mode"),
      ok: memory || pragma("journal_mode") === "wal",
      advice: "the file system doesn't support write-ahead logging; use a local disk",
    },
    {
      name: "durable",
      value: memory ? "no: the database lives in memory" : "yes",
      ok: true,
    },
  ];
}

/** One holder at a time, first come first served. */
interface Turns {
  take(): Promise<() => void>;
}

function createTurns(): Turns {
  const waiting: (() => void)[] = [];
  let taken = false;
  function release(): void {
    const next = waiting.shift();
    if (next) next();
    else taken = false;
  }
  return {
    take: () =>
      new Promise((resolve) => {
        const start = (): void => resolve(release);
        if (taken) {
          waiting.push(start);
        } else {
          taken = true;
          start();
        }
      }),
  };
}

/** SQLite's DDL is transactional: a migration that is killed half-way leaves nothing behind. */
class TransactionalSqliteAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

/** Kysely's way to the connection that the fixed statements use, in turn with them. */
function createDriver(connection: DatabaseSync, turns: Turns): Driver {
  const releases = new WeakMap<DatabaseConnection, () => void>();
  const executeQuery = <Row>(query: CompiledQuery): Promise<QueryResult<Row>> =>
    untilNotBusy(async () => {
      const statement = connection.prepare(query.sql);
      const parameters = query.parameters as Scalar[];
      if (statement.columns().length > 0) return { rows: statement.all(...parameters) as Row[] };
      const { changes } = statement.run(...parameters);
      return { rows: [], numAffectedRows: BigInt(changes) };
    });
  return {
    init: async () => {},
    acquireConnection: async () => {
      const release = await turns.take();
      const held: DatabaseConnection = {
        executeQuery,
        streamQuery: () => {
          throw new Error("not supported: read in pages");
        },
      };
      releases.set(held, release);
      return held;
    },
    beginTransaction: async () => {
      // Waits, as this is the lock of a migration: the process has nothing else to do.
      connection.exec("pragma busy_timeout = 30000");
      try {
        connection.exec("begin immediate");
      } finally {
        connection.exec("pragma busy_timeout = 0");
      }
    },
    commitTransaction: async () => connection.exec("commit"),
    rollbackTransaction: async () => connection.exec("rollback"),
    releaseConnection: async (held) => releases.get(held)?.(),
    destroy: async () => {},
  };
}
