import { randomUUID } from "node:crypto";
import pg from "pg";
import { openStorage } from "../../src/storage/open.ts";
import { migrate } from "../../src/storage/schema.ts";

/** Brings an empty database to this release's schema. */
export async function prepare(url: string): Promise<void> {
  const storage = openStorage({ url, poolSize: 1, preparedStatements: false, create: true });
  try {
    await migrate(storage.database);
  } finally {
    await storage.close();
  }
}

/** A new database on a PostgreSQL server, empty or a copy of one that nobody uses. @returns its URL */
export async function createDatabase(serverUrl: string, template = "template1"): Promise<string> {
  const url = new URL(serverUrl);
  const admin = new pg.Client({ connectionString: new URL("/postgres", url).href });
  const name = `wavegate_${randomUUID().replaceAll("-", "")}`;
  await admin.connect();
  await admin.query(`create database ${name} template ${template}`);
  await admin.end();
  url.pathname = `/${name}`;
  return url.href;
}

/** A database with this release's schema on a PostgreSQL server, to be copied. @returns its name */
export async function createTemplate(serverUrl: string): Promise<string> {
  const url = await createDatabase(serverUrl);
  await prepare(url);
  return new URL(url).pathname.slice(1);
}
