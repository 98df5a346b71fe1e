import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite } from "node:test";
import pg from "pg";
import { openStorage, type Storage } from "../../src/storage/open.ts";
import { migrate } from "../../src/storage/schema.ts";
import { startPostgres, type PostgresServer } from "./postgres.ts";

/** A kind of database, from which tests take fresh ones. */
export interface DatabaseUnderTest {
  readonly name: "SQLite" | "PostgreSQL";
  /** The `DATABASE_URL` of a database that nobody has used; gone when the test file ends. */
  createUrl(): Promise<string>;
}

let server: Promise<PostgresServer> | null = null;
const directories: string[] = [];

/** The server of the test run, or one of this file's own when it is run alone. */
async function serverUrl(): Promise<string> {
  const given = process.env["TEST_DATABASE_URL"];
  if (given) return given;
  server ??= startPostgres();
  return (await server).url;
}

after(async () => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
  await (await server)?.stop();
});

export const SQLITE: DatabaseUnderTest = {
  name: "SQLite",
  createUrl: async () => {
    const directory = mkdtempSync(join(tmpdir(), "wavegate-test-"));
    directories.push(directory);
    return `sqlite:///${join(directory, "gateway.db")}`;
  },
};

export const POSTGRES: DatabaseUnderTest = {
  name: "PostgreSQL",
  createUrl: async () => {
    const url = new URL(await serverUrl());
    const admin = new pg.Client({ connectionString: new URL("/postgres", url).href });
    const name = `wavegate_${randomUUID().replaceAll("-", "")}`;
    await admin.connect();
    await admin.query(`create database ${name}`);
    await admin.end();
    url.pathname = `/${name}`;
    return url.href;
  },
};

/** Runs a suite once for each database: what is true of one must be true of the other. */
export function onEachDatabase(title: string, define: (kind: DatabaseUnderTest) => void): void {
  for (const kind of [SQLITE, POSTGRES]) suite(`${title} on ${kind.name}`, () => define(kind));
}

/** As configured by default. */
const CIRCUIT = { threshold: 20, probeMs: 5_000 };

/** Opens a database as it is. */
export function openUrl(url: string): Storage {
  return openStorage({ url, poolSize: 10, preparedStatements: true, create: true, circuit: CIRCUIT });
}

/** A fresh database with its schema, closed by the caller. */
export async function freshStorage(kind: DatabaseUnderTest): Promise<Storage> {
  const storage = openUrl(await kind.createUrl());
  await migrate(storage.database);
  return storage;
}
