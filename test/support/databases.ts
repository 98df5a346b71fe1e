import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite } from "node:test";
import { openStorage, type Storage } from "../../src/storage/open.ts";
import { startPostgres, type PostgresServer } from "./postgres.ts";
import { createDatabase, createTemplate, prepare } from "./template.ts";

/** A kind of database, from which tests take fresh ones. */
export interface DatabaseUnderTest {
  readonly name: "SQLite" | "PostgreSQL";
  /** The `DATABASE_URL` of an empty database that nobody has used; gone when the test file ends. */
  createUrl(): Promise<string>;
  /** The same of one that has this release's schema: a copy, which costs a fifth of making it. */
  migratedUrl(): Promise<string>;
}

let server: Promise<PostgresServer> | null = null;
let template: Promise<string> | null = null;
let templateFile: Promise<string> | null = null;
const directories: string[] = [];

/** The server of the test run, or one of this file's own when it is run alone. */
async function serverUrl(): Promise<string> {
  const given = process.env["TEST_DATABASE_URL"];
  if (given) return given;
  server ??= startPostgres();
  return (await server).url;
}

// When the process ends, as several files may share this module.
process.on("exit", () => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});
after(async () => {
  await (await server)?.stop();
});

function newFile(): string {
  const directory = mkdtempSync(join(tmpdir(), "wavegate-test-"));
  directories.push(directory);
  return join(directory, "gateway.db");
}

const sqliteUrl = (file: string): string => `sqlite:///${file}`;

async function createTemplateFile(): Promise<string> {
  const file = newFile();
  await prepare(sqliteUrl(file));
  return file;
}

export const SQLITE: DatabaseUnderTest = {
  name: "SQLite",
  createUrl: async () => sqliteUrl(newFile()),
  async migratedUrl() {
    const file = newFile();
    copyFileSync(await (templateFile ??= createTemplateFile()), file);
    return sqliteUrl(file);
  },
};

export const POSTGRES: DatabaseUnderTest = {
  name: "PostgreSQL",
  createUrl: async () => createDatabase(await serverUrl()),
  async migratedUrl() {
    const url = await serverUrl();
    const given = process.env["TEST_DATABASE_TEMPLATE"];
    return createDatabase(url, given ?? (await (template ??= createTemplate(url))));
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
  return openUrl(await kind.migratedUrl());
}
