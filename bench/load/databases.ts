import { copyFileSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import pg from "pg";
import { startPostgres } from "../../test/support/postgres.ts";
import { parentOf } from "./proc.ts";

export type DatabaseKind = "sqlite" | "postgres";

type Row = Readonly<Record<string, unknown>>;

/** One database, of one run. */
export interface BenchDatabase {
  readonly kind: DatabaseKind;
  /** As `DATABASE_URL`. */
  readonly url: string;
  query(text: string): Promise<Row[]>;
  /** Runs statements in one transaction, which need not be durable. */
  execute(statements: readonly string[]): Promise<void>;
  /** PostgreSQL's write-ahead log so far, in bytes; null on SQLite. */
  walBytes(): Promise<number | null>;
  /** Writes dirty pages. */
  checkpoint(): Promise<void>;
  /** Statistics and visibility as they are in a database that has been running for long. */
  tidy(): Promise<void>;
  /** A transaction of another client that reads, and stays open until it is ended. */
  holdSnapshot(): Promise<() => Promise<void>>;
  /** The same once more; nobody may be using this one. */
  copy(): Promise<BenchDatabase>;
  drop(): Promise<void>;
}

/** Where databases are made. */
export interface DatabaseServer {
  /** What matters for durability and speed, as it is in force. */
  readonly settings: Readonly<Record<string, string>>;
  /** Its process, whose time counts as the contender's; none for SQLite. */
  readonly pids: readonly number[];
  create(): Promise<BenchDatabase>;
  stop(): Promise<void>;
}

const SETTINGS = [
  "fsync",
  "synchronous_commit",
  "full_page_writes",
  "wal_level",
  "wal_sync_method",
  "wal_buffers",
  "max_wal_size",
  "checkpoint_timeout",
  "shared_buffers",
  "max_connections",
];
const MUST_BE_ON = ["fsync", "synchronous_commit", "full_page_writes"];

export function openServer(kind: DatabaseKind, directory: string): Promise<DatabaseServer> {
  return kind === "sqlite" ? openSqlite(directory) : openPostgres();
}

async function openSqlite(directory: string): Promise<DatabaseServer> {
  let count = 0;
  const version = new DatabaseSync(":memory:").prepare("select sqlite_version() as version").get();
  return {
    settings: {
      version: `SQLite ${String(version?.["version"])}`,
      journal_mode: "wal",
      synchronous: "full (each contender's own duty)",
    },
    pids: [],
    create: async () => {
      const folder = join(directory, `sqlite-${(count += 1)}`);
      mkdirSync(folder);
      return sqliteDatabase(folder, () => join(directory, `sqlite-${(count += 1)}`));
    },
    stop: async () => {},
  };
}

function sqliteDatabase(folder: string, anotherFolder: () => string): BenchDatabase {
  const path = join(folder, "bench.db");
  // A connection for each use: one that stays would keep the contender's log from being folded in at its end.
  const withConnection = <T>(use: (connection: DatabaseSync) => T): T => {
    const connection = new DatabaseSync(path, { timeout: 10_000 });
    try {
      return use(connection);
    } finally {
      connection.close();
    }
  };
  return {
    kind: "sqlite",
    url: `sqlite:///${path}`,
    query: async (text) => withConnection((connection) => connection.prepare(text).all()),
    execute: async (statements) =>
      withConnection((connection) => {
        connection.exec("pragma synchronous = off; pragma cache_size = -262144; begin immediate");
        for (const statement of statements) connection.exec(statement);
        connection.exec("commit");
      }),
    walBytes: async () => null,
    checkpoint: async () => {},
    // WaveGate runs no ANALYZE on SQLite, and nobody else does.
    tidy: async () => {},
    async holdSnapshot() {
      const connection = new DatabaseSync(path);
      connection.exec("begin");
      connection.prepare("select count(*) from orders").get();
      return async () => connection.close();
    },
    async copy() {
      const to = anotherFolder();
      mkdirSync(to);
      copyFileSync(path, join(to, "bench.db"));
      return sqliteDatabase(to, anotherFolder);
    },
    drop: async () => rmSync(folder, { recursive: true, force: true }),
  };
}

async function openPostgres(): Promise<DatabaseServer> {
  const server = await startPostgres();
  const admin = new pg.Client({ connectionString: `${server.url}/postgres` });
  await admin.connect();
  const { rows } = await admin.query<{ name: string; value: string }>(
    "select name, current_setting(name) as value from pg_settings where name = any($1)",
    [SETTINGS],
  );
  const inForce = new Map(rows.map(({ name, value }) => [name, value]));
  for (const name of MUST_BE_ON) {
    if (inForce.get(name) !== "on") throw new Error(`PostgreSQL runs with ${name} = ${inForce.get(name)}`);
  }
  const { rows: facts } = await admin.query<{ pid: number; version: string }>(
    "select pg_backend_pid() as pid, current_setting('server_version') as version",
  );
  let count = 0;
  const make = async (template: string): Promise<BenchDatabase> => {
    const name = `bench_${(count += 1)}`;
    await admin.query(`create database ${name} template ${template} strategy = file_copy`);
    return postgresDatabase(admin, server.url, name, () => make(name));
  };
  return {
    settings: {
      version: `PostgreSQL ${facts[0]!.version}`,
      ...Object.fromEntries(SETTINGS.map((name) => [name, inForce.get(name) ?? "?"])),
    },
    pids: [parentOf(facts[0]!.pid)],
    create: () => make("template1"),
    async stop() {
      await admin.end();
      await server.stop();
    },
  };
}

function postgresDatabase(
  admin: pg.Client,
  serverUrl: string,
  name: string,
  copy: () => Promise<BenchDatabase>,
): BenchDatabase {
  const url = `${serverUrl}/${name}`;
  const withClient = async <T>(use: (client: pg.Client) => Promise<T>): Promise<T> => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      return await use(client);
    } finally {
      await client.end();
    }
  };
  return {
    kind: "postgres",
    url,
    query: (text) => withClient(async (client) => (await client.query<Row>(text)).rows),
    execute: (statements) =>
      withClient(async (client) => void (await client.query(`begin; ${statements.join(";")}; commit`))),
    async walBytes() {
      const { rows } = await admin.query<{ bytes: string }>(
        "select pg_current_wal_lsn() - '0/0'::pg_lsn as bytes",
      );
      return Number(rows[0]!.bytes);
    },
    checkpoint: async () => void (await admin.query("checkpoint")),
    tidy: () => withClient(async (client) => void (await client.query("vacuum (analyze)"))),
    async holdSnapshot() {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      await client.query("begin isolation level repeatable read; select count(*) from partners");
      return () => client.end();
    },
    copy,
    drop: async () => void (await admin.query(`drop database ${name} with (force)`)),
  };
}
