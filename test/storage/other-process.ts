import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { sql } from "kysely";
import { migrate } from "../../src/storage/schema.ts";
import { openUrl } from "../support/databases.ts";
import { keyed } from "./fixtures.ts";

/** What another process can be asked to do with a database. */
const TASKS = {
  migrate: async (url: string) => {
    const storage = openUrl(url);
    const names = await migrate(storage.database);
    await storage.close();
    return names;
  },
  /** Stays in the middle of a migration for good. */
  migrateHalf: async (url: string) => {
    const { database } = openUrl(url);
    await database.queries.transaction().execute(async (transaction) => {
      if (database.migrationLock) await sql.raw(database.migrationLock).execute(transaction);
      await sql`create table half (id integer)`.execute(transaction);
      say("in the middle");
      await forever();
    });
  },
  /** Orders under the keys k0, k1, ..., in batches. */
  accept: async (url: string, keys: string, batch: string) => {
    const storage = openUrl(url);
    const counts: Record<string, number> = {};
    for (let from = 0; from < Number(keys); from += Number(batch)) {
      const orders = Array.from({ length: Number(batch) }, (_, index) => keyed(`k${from + index}`));
      // Each process in an order of its own: the statement sorts.
      orders.sort(() => Math.random() - 0.5);
      for (const { kind } of await storage.intake.accept(orders, null))
        counts[kind] = (counts[kind] ?? 0) + 1;
    }
    await storage.close();
    return counts;
  },
  /** Holds the write lock of an SQLite file for a while, then lets go. */
  hold: async (url: string, ms: string) => {
    const storage = openUrl(url);
    await storage.database.transact(async () => {
      say("held");
      await new Promise((resolve) => setTimeout(resolve, Number(ms)));
    });
    await storage.close();
  },
  serve: async (url: string) => {
    openUrl(url).database.serveAlone();
    say("serving");
    await forever();
  },
} as const;

export interface OtherProcess {
  /** The first line that it says, which is JSON. */
  readonly said: Promise<unknown>;
  kill(): Promise<void>;
}

export function otherProcess(task: keyof typeof TASKS, ...args: readonly string[]): OtherProcess {
  const child = spawn(process.execPath, [import.meta.filename, task, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  const lines = createInterface({ input: child.stdout });
  const line = new Promise<string>((resolve, reject) => {
    lines.once("line", resolve);
    lines.once("close", () => reject(new Error(`${task} ended without a word`)));
  });
  return {
    said: line.then((text) => JSON.parse(text) as unknown),
    async kill() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

function say(what: unknown): void {
  process.stdout.write(`${JSON.stringify(what ?? null)}\n`);
}

function forever(): Promise<never> {
  return new Promise(() => setInterval(() => {}, 60_000));
}

if (import.meta.main) {
  const [task, ...args] = process.argv.slice(2);
  const work = TASKS[task as keyof typeof TASKS] as (...args: string[]) => Promise<unknown>;
  say(await work(...args));
  // The test support keeps nothing open that has to be waited for.
  process.exit();
}
