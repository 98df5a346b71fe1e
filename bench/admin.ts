// How long do operators' queries take, and by which indexes?
// `node bench/admin.ts [--orders 200000] [--database sqlite|postgres] [--runs 15] [--plans]`
//
// Fills a database by direct inserts with orders of two months, of which a few hundred are on their way and 4 % stand
// still, and asks what lists, counts and searches ask. Prints medians; fails if one is over 100 ms or scans a table.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { CompiledQuery, type Kysely } from "kysely";
import { ANY_ORDER, type OrderFilter } from "../src/orders/order-filter.ts";
import { createListAttempts } from "../src/storage/attempt-list.ts";
import type { Database, Parameter, Run } from "../src/storage/database.ts";
import { createErrorGroups } from "../src/storage/error-groups.ts";
import { createReadGauges } from "../src/storage/gauges.ts";
import { createLists } from "../src/storage/lists.ts";
import { openStorage } from "../src/storage/open.ts";
import { createOrderQueries } from "../src/storage/order-queries.ts";
import { createOrderSearch } from "../src/storage/order-search.ts";
import { createOverview } from "../src/storage/overview.ts";
import { migrate } from "../src/storage/schema.ts";
import type { Tables } from "../src/storage/tables.ts";
import { startPostgres } from "../test/support/postgres.ts";
import { fillWithOrders, FIRST_AT, LAST_AT } from "./admin-orders.ts";

const { values } = parseArgs({
  options: {
    orders: { type: "string", default: "200000" },
    runs: { type: "string", default: "15" },
    database: { type: "string" },
    plans: { type: "boolean" },
    help: { type: "boolean", short: "h" },
  },
});
if (values.help) {
  console.log(
    "usage: node bench/admin.ts [--orders 200000] [--database sqlite|postgres] [--runs 15] [--plans]",
  );
  process.exit(0);
}
const LIMIT_MS = 100;
const ORDERS = Number(values.orders);
const RUNS = Number(values.runs);

const LARGE =
  "(orders|order_items|tickets|ticketing_jobs|ota_callback_jobs|ticketing_attempts|ota_callback_attempts)";
/** A table read through, in PostgreSQL's words or in SQLite's. */
const SCAN = new RegExp(`Seq Scan on ${LARGE}|SCAN ${LARGE}(?!.* USING)|SCAN [oaji](?!.* USING)`);

let isRight = true;
for (const kind of ["sqlite", "postgres"]) {
  if (values.database === undefined || values.database === kind) await measure(kind);
}
process.exitCode = isRight ? 0 : 1;

async function measure(kind: string): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "wavegate-bench-"));
  const postgres = kind === "postgres" ? await startPostgres() : null;
  const url = postgres ? `${postgres.url}/postgres` : `sqlite:///${join(directory, "bench.db")}`;
  const storage = openStorage({ url, poolSize: 4, preparedStatements: true, create: true });
  try {
    await migrate(storage.database);
    await fillWithOrders(storage.database, ORDERS);
    await ask(storage.database);
  } finally {
    await storage.close();
    await postgres?.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function ask(database: Database): Promise<void> {
  console.log(`\n${database.name}, ${ORDERS} orders: medians of ${RUNS} runs`);
  const asked: Asked[] = [];
  const run: Run = (text, parameters) => {
    asked.push({ sql: text, parameters, isFixed: true });
    return database.run(text, parameters);
  };
  const overheard = { ...database, run, queries: overhear(database.queries, asked) };
  for (const [name, run] of Object.entries(questions(overheard))) {
    await run();
    const times: number[] = [];
    for (let n = 0; n < RUNS; n += 1) {
      asked.length = 0;
      const startedAt = performance.now();
      await run();
      times.push(performance.now() - startedAt);
    }
    const median = times.sort((a, b) => a - b)[Math.floor(RUNS / 2)]!;
    const scans = await scansIn(database, asked);
    if (median > LIMIT_MS || scans.length > 0) isRight = false;
    const verdict = [...(median > LIMIT_MS ? ["TOO SLOW"] : []), ...scans.map((scan) => `SCANS: ${scan}`)];
    console.log(`${median.toFixed(1).padStart(8)} ms  ${name}  ${verdict.join("; ")}`);
  }
}

/** A dynamic query, or a fixed statement. */
type Asked =
  | CompiledQuery
  | { readonly sql: string; readonly parameters: readonly Parameter[]; readonly isFixed: true };

function questions(database: Database): Record<string, () => Promise<unknown>> {
  const search = createOrderSearch(database, { clock: { wallMs: () => LAST_AT } });
  const lists = createLists(database);
  const listAttempts = createListAttempts(database);
  const { overview } = createOverview(database);
  const gauges = createReadGauges(database);
  const errorGroups = createErrorGroups(database);
  const stories = createOrderQueries(database);
  const filter = (more: Partial<OrderFilter>): OrderFilter => ({ ...ANY_ORDER, ...more });
  const page =
    (more: Partial<OrderFilter>, cursor: number | null = null) =>
    () =>
      search.page(filter(more), cursor, 50);
  const [quarter, half] = [FIRST_AT + (LAST_AT - FIRST_AT) / 4, FIRST_AT + (LAST_AT - FIRST_AT) / 2];
  const day = 86_400_000;
  const attempts = {
    leg: null,
    code: null,
    error: null,
    partnerId: null,
    orderId: null,
    failed: false,
    since: null,
    until: null,
  };
  const anyone = { partnerId: null, since: null, until: null };
  const [today = "", tomorrow = ""] = [LAST_AT, LAST_AT + day].map((at) =>
    new Date(at).toISOString().slice(0, 10),
  );
  return {
    "overview: 48 hours": () => overview(48, [today, tomorrow], LAST_AT),
    "metrics: how all stands": () => gauges(10_000, LAST_AT),
    "errors: a day": () => errorGroups.list(LAST_AT - day),
    "order: its story": async () => {
      await stories.story(ORDERS / 2, null);
      await stories.circumstances("p3");
    },
    "page: all": page({}),
    "page: all, from the middle": page({}, ORDERS / 2),
    "page: a partner": page({ partnerId: "p3" }),
    "page: delivered": page({ statuses: ["ota_callback_delivered"] }),
    "page: blocked or unknown": page({
      statuses: ["ticketing_blocked", "ticketing_unknown", "ota_callback_blocked"],
    }),
    "page: exhausted, of a small partner": page({ statuses: ["ticketing_exhausted"], partnerId: "p3" }),
    "page: on their way": page({
      statuses: ["accepted", "ticketing_processing", "ticketed", "ota_callback_pending"],
    }),
    "page: cancelled or closed": page({ statuses: ["cancelled", "closed"] }),
    "page: past due": page({ pastDue: true }),
    "page: of a day two months ago": page({ createdFrom: quarter, createdBefore: quarter + day }),
    "page: delivered, of a partner, until half-way": page({
      statuses: ["ota_callback_delivered"],
      partnerId: "p3",
      createdBefore: half,
    }),
    "page: visit on a day": page({ visitFrom: "2026-02-10", visitTo: "2026-02-10" }),
    "page: visit in a month, blocked": page({
      visitFrom: "2026-02-01",
      visitTo: "2026-02-28",
      statuses: ["ticketing_blocked"],
    }),
    "page: visit in a month": page({ visitFrom: "2026-02-01", visitTo: "2026-02-28" }),
    "page: visit on no day of these": page({ visitFrom: "2030-01-01" }),
    "page: 503": page({ code: 503 }),
    "page: 404 and blocked": page({ code: 404, statuses: ["ticketing_blocked"] }),
    "page: timeout": page({ error: "timeout" }),
    "page: 200": page({ code: 200 }),
    "q: external id": page({ q: `EXT-${ORDERS / 2}` }),
    "q: reference": page({ q: `REF-${ORDERS / 2}` }),
    "q: ticket code": page({ q: `TC-${ORDERS / 2}-1` }),
    "q: order id": page({ q: String(ORDERS / 2) }),
    "q: nothing": page({ q: "no such thing" }),
    "count: all": () => search.countsByStatus(filter({})),
    "count: a partner": () => search.countsByStatus(filter({ partnerId: "p3" })),
    "count: of half the time": () => search.countsByStatus(filter({ createdFrom: half })),
    "count: exhausted": () => search.count(filter({ statuses: ["ticketing_exhausted"] })),
    "count: visit in a month": () => search.count(filter({ visitFrom: "2026-02-01", visitTo: "2026-02-28" })),
    "ids: exhausted, 500": () => search.ids(filter({ statuses: ["ticketing_exhausted"] }), ORDERS / 4, 500),
    "ids: of a day, 500": () => search.ids(filter({ createdFrom: half, createdBefore: half + day }), 0, 500),
    "jobs: blocked": () => search.jobs(filter({ statuses: ["ticketing_blocked"] }), null, null, 50),
    "attempts: newest orders'": () => listAttempts(attempts, null, 50),
    "attempts: failed": () => listAttempts({ ...attempts, failed: true }, null, 50),
    "attempts: 503 in a day": () =>
      listAttempts({ ...attempts, code: 503, since: half, until: half + day }, null, 50),
    "attempts: timeout, of a partner": () =>
      listAttempts({ ...attempts, error: "timeout", partnerId: "p3" }, null, 50),
    "attempts: of an order": () => listAttempts({ ...attempts, orderId: ORDERS / 2 }, null, 50),
    "auth events": () => lists.authEvents({ ...anyone, reason: null, ip: null }, null, 50),
    "auth events: a partner's": () =>
      lists.authEvents({ ...anyone, partnerId: "p3", reason: null, ip: null }, null, 50),
    rejections: () => lists.rejections({ ...anyone, externalOrderId: null, status: null }, null, 50),
    "rejections: a partner's": () =>
      lists.rejections({ ...anyone, partnerId: "p3", externalOrderId: null, status: 400 }, null, 50),
    "rejections: external id": () =>
      lists.rejections({ ...anyone, externalOrderId: "EXT-500", status: null }, null, 50),
  };
}

/** The same queries, whose statements are written down as they are asked. */
function overhear(queries: Kysely<Tables>, asked: Asked[]): Kysely<Tables> {
  const executor = queries.getExecutor();
  const listening = new Proxy(executor, {
    get(target, name) {
      if (name === "executeQuery")
        return (query: CompiledQuery) => {
          asked.push(query);
          return target.executeQuery(query);
        };
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  return new Proxy(queries, {
    get(target, name) {
      if (name === "getExecutor") return () => listening;
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** What these read through without an index; with `--plans`, how each is answered. */
async function scansIn({ queries, run, name }: Database, asked: readonly Asked[]): Promise<string[]> {
  const found = new Set<string>();
  const prefix = name === "SQLite" ? "explain query plan" : "explain (costs off)";
  for (const query of asked) {
    const { sql } = query;
    const explain = `${prefix} ${sql}`;
    const rows =
      "isFixed" in query
        ? await run<Record<string, string>>(explain, query.parameters)
        : (
            await queries.executeQuery<Record<string, string>>(
              CompiledQuery.raw(explain, [...query.parameters]),
            )
          ).rows;
    const lines = rows.map((row) => row["detail"] ?? row["QUERY PLAN"] ?? "");
    if (values.plans) {
      const text = sql.replaceAll(/\s+/g, " ").replace(/\((\d+, ){5}[\d, ]+\)/g, "(...)");
      console.log(
        `\n  ${text.slice(0, 600)}\n${lines.map((line) => `    ${line.slice(0, 160)}`).join("\n")}`,
      );
    }
    for (const line of lines) if (SCAN.test(line)) found.add(line.trim());
  }
  return [...found];
}
