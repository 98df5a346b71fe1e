import type Pg from "pg";
import type { Wakeups } from "../database.ts";
import { pg } from "./pg.ts";

const CHANNEL = "wavegate_work";
/** Announcements within this time share one NOTIFY. */
const COALESCE_MS = 5;
const RECONNECT_MS = 5_000;

/**
 * LISTEN and NOTIFY, as a help to be early and no more: whatever fails here is tried again later, and until
 * then the poll finds the work.
 */
export function createWakeups(
  pool: Pg.Pool,
  connectionConfig: Pg.ClientConfig,
): Wakeups & { close(): Promise<void> } {
  const pending = new Set<string>();
  let timer: NodeJS.Timeout | null = null;
  let listener: Pg.Client | null = null;
  let reconnect: NodeJS.Timeout | null = null;
  let closed = false;
  // Own announcements come back too; they carry nothing new.
  const origin = `${process.pid}.${Math.random().toString(36).slice(2, 10)}`;

  function send(): void {
    timer = null;
    for (const topic of pending) {
      pool.query("select pg_notify($1, $2)", [CHANNEL, `${origin} ${topic}`]).catch(() => {});
    }
    pending.clear();
  }

  async function connect(onTopic: (topic: string) => void): Promise<void> {
    reconnect = null;
    const client = new (pg().Client)(connectionConfig);
    listener = client;
    let failed = false;
    const retryLater = (): void => {
      if (failed || closed) return;
      failed = true;
      client.end().catch(() => {});
      reconnect = setTimeout(() => void connect(onTopic), RECONNECT_MS).unref();
    };
    client.on("error", retryLater);
    client.on("end", retryLater);
    client.on("notification", ({ payload = "" }) => {
      const [from, topic] = payload.split(" ", 2);
      if (from !== origin && topic) onTopic(topic);
    });
    try {
      await client.connect();
      await client.query(`listen ${CHANNEL}`);
    } catch {
      retryLater();
    }
  }

  return {
    announce(topic) {
      if (closed) return;
      pending.add(topic);
      timer ??= setTimeout(send, COALESCE_MS).unref();
    },
    listen(onTopic) {
      void connect(onTopic);
    },
    async close() {
      closed = true;
      if (timer) clearTimeout(timer);
      if (reconnect) clearTimeout(reconnect);
      await listener?.end().catch(() => {});
    },
  };
}
