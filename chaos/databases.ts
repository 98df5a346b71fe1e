import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { startCommitProxy } from "../test/storage/commit-proxy.ts";
import type { DatabaseKind, FaultKind } from "./plan.ts";
import { startChaosPostgres } from "./postgres.ts";
import type { Reaper } from "./reaper.ts";

/** The database under the gateways, and what can befall it. */
export interface ChaosDatabase {
  /** For the gateways. */
  readonly url: string;
  /** For the runner, which no fault but the database's own concerns. */
  readonly directUrl: string;
  /** Resolves when it is over. */
  inject(kind: FaultKind, forMs: number): Promise<void>;
  close(): Promise<void>;
}

export function startDatabase(kind: DatabaseKind, directory: string, reaper: Reaper): Promise<ChaosDatabase> {
  return kind === "sqlite" ? startSqlite(directory) : startPostgres(directory, reaper);
}

async function startSqlite(directory: string): Promise<ChaosDatabase> {
  const path = join(directory, "gateway.db");
  const url = `sqlite:///${path}`;
  return {
    url,
    directUrl: url,
    async inject(_kind, forMs) {
      const script = join(import.meta.dirname, "lock-holder.ts");
      const holder = spawn(process.execPath, [script, path, String(forMs)], {
        stdio: ["ignore", "ignore", "inherit"],
      });
      await once(holder, "exit");
    },
    close: async () => {},
  };
}

const COMMIT_TIMEOUT_MS = 3_000;

async function startPostgres(directory: string, reaper: Reaper): Promise<ChaosDatabase> {
  const server = await startChaosPostgres(join(directory, "postgres"));
  reaper.add((await server.pid())!);
  const proxy = await startCommitProxy(server.url);

  async function down(mode: "fast" | "immediate", forMs: number): Promise<void> {
    const pid = await server.pid();
    await server.stop(mode);
    if (pid !== null) reaper.remove(pid);
    await sleep(forMs);
    await server.start();
    reaper.add((await server.pid())!);
  }

  async function cutConnections(limit: number): Promise<void> {
    const admin = new pg.Client({ connectionString: server.url, application_name: "chaos" });
    admin.on("error", () => {});
    await admin.connect();
    await admin.query(
      `select pg_terminate_backend(pid) from (
         select pid from pg_stat_activity where application_name = 'wavegate' order by random() limit $1) chosen`,
      [limit],
    );
    await admin.end();
  }

  /** The next COMMIT that passes; there is one soon. */
  async function breakCommit(fate: "lost on the way" | "answer lost"): Promise<void> {
    proxy.fate = fate;
    const deadline = Date.now() + COMMIT_TIMEOUT_MS;
    const isWaiting = (): boolean => proxy.fate === fate;
    while (isWaiting() && Date.now() < deadline) await sleep(5);
    proxy.fate = "pass";
  }

  const faults: Partial<Record<FaultKind, (forMs: number) => Promise<void>>> = {
    "database stopped": (forMs) => down("fast", forMs),
    "database crashed": (forMs) => down("immediate", forMs),
    "connection cut": () => cutConnections(1),
    "connections cut": () => cutConnections(1_000),
    "commit lost": () => breakCommit("lost on the way"),
    "commit answer lost": () => breakCommit("answer lost"),
  };
  return {
    url: proxy.url,
    directUrl: server.url,
    inject: async (kind, forMs) => faults[kind]?.(forMs),
    async close() {
      await proxy.close();
      await Promise.race([server.remove(), sleep(10_000, undefined, { ref: false })]);
    },
  };
}
