// How soon is the console's home page there? `node bench/console.ts [--orders 200000] [--database sqlite|postgres] [--runs 15]`
//
// Fills a database as bench/admin.ts does, with the two months before now, serves it by a gateway that is held, so that all
// stays as it is, and opens /console/ in a real browser: with an empty cache, and again with what it has kept. Prints medians of
// the time from the navigation until rows are painted, and until nothing is on its way any more.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { openStorage } from "../src/storage/open.ts";
import { migrate } from "../src/storage/schema.ts";
import { launch, LIGHT, openPage } from "../test/support/browser.ts";
import { openSignedIn, settled, UNSETTLED } from "../test/support/console-page.ts";
import { startPostgres } from "../test/support/postgres.ts";
import { fillWithOrders } from "./admin-orders.ts";

const { values } = parseArgs({
  options: {
    orders: { type: "string", default: "200000" },
    runs: { type: "string", default: "15" },
    database: { type: "string" },
    help: { type: "boolean", short: "h" },
  },
});
if (values.help) {
  console.log("usage: node bench/console.ts [--orders 200000] [--database sqlite|postgres] [--runs 15]");
  process.exit(0);
}
const ORDERS = Number(values.orders);
const RUNS = Number(values.runs);
/** A page that is there within a second keeps one's thought. */
const LIMIT_MS = 1_000;
const TOKEN = "wgo_of-the-benchmark";

/** In the page: when rows, and when all, were there; as milliseconds since the navigation. */
const WATCH = `
  globalThis.seen = { rows: null, all: null };
  const look = () => {
    const rows = document.querySelector("[data-row]");
    if (!rows) return;
    const isDone = !document.querySelector("${UNSETTLED}");
    // After the frame that shows it.
    requestAnimationFrame(() => setTimeout(() => {
      seen.rows ??= performance.now();
      if (isDone) seen.all ??= performance.now();
    }));
  };
  new MutationObserver(look).observe(document, { childList: true, subtree: true, attributes: true });
`;

interface Seen {
  readonly rows: number | null;
  readonly all: number | null;
}

interface Opened {
  readonly rowsMs: number;
  readonly allMs: number;
  readonly bytes: number;
}

let isRight = true;
for (const kind of ["sqlite", "postgres"])
  if (values.database === undefined || values.database === kind) await measure(kind);
process.exitCode = isRight ? 0 : 1;

async function measure(kind: string): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "wavegate-bench-"));
  const postgres = kind === "postgres" ? await startPostgres() : null;
  const url = postgres ? `${postgres.url}/postgres` : `sqlite:///${join(directory, "bench.db")}`;
  try {
    await fill(url);
    const gateway = serve(url, directory);
    const browser = await launch();
    try {
      await compare(kind, browser, await startedUrl(gateway));
    } finally {
      await browser.close();
      gateway.kill();
      await once(gateway, "exit");
    }
  } finally {
    await postgres?.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function fill(url: string): Promise<void> {
  const storage = openStorage({ url, poolSize: 4, preparedStatements: true, create: true });
  try {
    await migrate(storage.database);
    await fillWithOrders(storage.database, ORDERS, Date.now());
    await storage.holds.place({ actor: "benchmark", reason: "nothing moves while it is measured" }, null);
  } finally {
    await storage.close();
  }
}

function serve(url: string, directory: string): ChildProcess {
  const { PATH = "" } = process.env;
  return spawn(process.execPath, [join(import.meta.dirname, "../src/main.ts"), "serve"], {
    cwd: directory,
    env: {
      PATH,
      DATABASE_URL: url,
      PORT: "0",
      TICKETING_URL: "http://127.0.0.1:9/",
      OPERATORS_JSON: JSON.stringify([{ name: "benchmark", role: "operator", token: TOKEN }]),
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
}

async function startedUrl(gateway: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: gateway.stdout! })) {
    const { event, url } = JSON.parse(line) as { event: string; url?: string };
    if (event !== "gateway.started" || url === undefined) continue;
    gateway.stdout!.resume();
    return url;
  }
  throw new Error("the gateway has not started");
}

async function compare(kind: string, browser: Browser, url: string): Promise<void> {
  const first = await openPage(browser, LIGHT);
  await openSignedIn(first.page, url, TOKEN);
  const signedIn: BrowserContextOptions = { storageState: await first.page.context().storageState() };
  await first.page.context().close();

  const runs: { cold: Opened; warm: Opened }[] = [];
  for (let run = 0; run < RUNS; run += 1) {
    const { page, troubles } = await openPage(browser, LIGHT, signedIn);
    await page.addInitScript({ content: WATCH });
    const cold = await open(page, url);
    await page.goto("about:blank");
    runs.push({ cold, warm: await open(page, url) });
    await page.context().close();
    for (const trouble of troubles) console.log(`  ${trouble}`);
    if (troubles.length > 0) isRight = false;
  }
  console.log(`\n${kind}, ${ORDERS} orders: /console/, medians of ${RUNS} runs (and the slowest)`);
  for (const cache of ["cold", "warm"] as const) {
    const of = (what: keyof Opened) => runs.map((run) => run[cache][what]).toSorted((a, b) => a - b);
    const told = (sorted: number[]) =>
      `${median(sorted).toFixed(0).padStart(5)} ms (${sorted.at(-1)!.toFixed(0).padStart(4)})`;
    const verdict = median(of("allMs")) > LIMIT_MS ? "  TOO SLOW" : "";
    if (verdict !== "") isRight = false;
    const kB = (median(of("bytes")) / 1000).toFixed(0).padStart(4);
    console.log(
      `${cache}:  rows ${told(of("rowsMs"))}   all ${told(of("allMs"))}   ${kB} kB over the wire${verdict}`,
    );
  }
}

async function open(page: Page, url: string): Promise<Opened> {
  await page.goto(`${url}/console/`);
  await page.locator("[data-row]").first().waitFor();
  await settled(page);
  let seen = await page.evaluate<Seen>("seen");
  while (seen.all === null) {
    await sleep(20);
    seen = await page.evaluate<Seen>("seen");
  }
  const bytes = await page.evaluate<number>(
    `performance.getEntries().reduce((sum, { transferSize = 0 }) => sum + transferSize, 0)`,
  );
  return { rowsMs: seen.rows!, allMs: seen.all, bytes };
}

function median(sorted: readonly number[]): number {
  return sorted[Math.floor(sorted.length / 2)]!;
}
