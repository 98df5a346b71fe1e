import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import { observedLog } from "../../src/observe/observed-log.ts";
import { createMetrics } from "../../src/observe/metrics.ts";
import { createMetricsText } from "../../src/observe/metrics-text.ts";
import { createOverallMetrics, type Overall } from "../../src/observe/overall-metrics.ts";
import type { WorkEvent } from "../../src/observe/work-events.ts";
import { ORDER_STATUSES } from "../../src/orders/states.ts";
import { readScrape, samplesOf } from "../support/scrape.ts";
import { SILENT } from "../support/log.ts";

const DOCUMENT = new URL("../../docs/observability.md", import.meta.url);
const STATE = {
  slots: () => ({ ticketing: { total: 10, inUse: 3 } }),
  waiting: () => 2,
  droppedLines: () => 7,
};
const LEG = { due: 1, pastDue: 0, held: 0, oldestDueMs: 2_500 };
const OVERALL: Overall = {
  legs: { ticketing: LEG, callback: { ...LEG, oldestDueMs: null } },
  notTicketedMs: { in_work: 90_000, standing: null },
  standing: { ticketing_blocked: 4 },
  circuits: [{ leg: "ticketing", partnerId: "", open: true }],
  isHeld: false,
  countLimit: 10_000,
};
const ORDER = { trace_id: "01a037c1-31c0-7000-8000-000000000001", order_id: 1, partner_id: "demo" };

suite("metrics", () => {
  test("docs/observability.md has every metric, with its type and its labels", async () => {
    const metrics = createMetrics(ORDER_STATUSES);
    for (const event of EVENTS) metrics.observe(event);
    metrics.transacted(1, 2);
    const text = await createMetricsText(
      () => metrics.read(STATE),
      async () => OVERALL,
    )();

    const types = new Map(
      [...text.matchAll(/^# TYPE (wavegate_\S+) (\S+)$/gm)].map(([, name, type]) => [name!, type!]),
    );
    const labels = new Map<string, Set<string>>();
    for (const [, sample, inBraces] of text.matchAll(/^(wavegate_\w+)(?:\{(.*)\})? /gm)) {
      const name = types.has(sample!) ? sample! : sample!.replace(/_(bucket|sum|count)$/, "");
      const names = [...(inBraces ?? "").matchAll(/(\w+)="/g)].map(([, label]) => label!);
      labels.set(name, new Set([...(labels.get(name) ?? []), ...names.filter((label) => label !== "le")]));
    }
    const told = [...types].map(([name, type]) =>
      [name, type, ...[...(labels.get(name) ?? [])].toSorted()].join(" "),
    );
    const rows = readFileSync(DOCUMENT, "utf8").matchAll(/^\| `(wavegate_\w+)` \| (\w+) \|([^|]*)\|/gm);
    const written = [...rows].map(([, name, type, cell]) => {
      const names = [...cell!.matchAll(/`(\w+)`/g)].map(([, label]) => label!);
      return [name, type, ...names.toSorted()].join(" ");
    });
    assert.deepEqual(written.toSorted(), told.toSorted());
  });

  test("and every unit of work, with its fields", () => {
    const rows = readFileSync(DOCUMENT, "utf8")
      .split("\n")
      .filter((line) => line.startsWith("| `"));
    for (const { event, ...fields } of EVENTS) {
      const row = rows.find((line) => line.split("|")[1]!.includes(`\`${event}\``));
      for (const name of Object.keys(fields)) assert.ok(row?.includes(`\`${name}\``), `${event}: ${name}`);
    }
  });

  test("a log's observers hear what its level leaves out", async () => {
    const metrics = createMetrics(ORDER_STATUSES);
    const log = observedLog(SILENT, [metrics.observe]);
    log.debug({ event: "auth.failed_again", partner_id: "", reason: "wrong_token", ip: null });
    log.warn({ event: "auth.failed", partner_id: "", reason: "wrong_token", ip: null });
    log.error({ event: "something.else" });
    const scrape = readScrape(await metrics.read(STATE).metrics());
    assert.deepEqual(samplesOf(scrape, "wavegate_auth_failures_total"), { 'reason="wrong_token"': 2 });
    assert.equal(scrape.get("wavegate_log_lines_dropped_total"), 7);
    assert.equal(readScrape(await metrics.read(STATE).metrics()).get("wavegate_log_lines_dropped_total"), 7);
  });

  test("an order whose first attempt was lost has come into its status, once", async () => {
    const metrics = createMetrics([]);
    const of = { ...ORDER, attempt: 1, duration_ms: 1, span_id: "00f067aa0ba902b7", job: "pending" };
    metrics.observe({ event: "attempt.lost", leg: "ticketing", ...of });
    metrics.observe({ event: "ticketing.attempted", outcome: "done", error: null, settled: "late", ...of });
    metrics.observe({ event: "attempt.lost", leg: "callback", moves_order: true, ...of });
    metrics.observe({ event: "attempt.lost", leg: "callback", moves_order: false, ...of });
    const scrape = readScrape(await metrics.read(STATE).metrics());
    assert.deepEqual(samplesOf(scrape, "wavegate_order_transitions_total"), {
      'to="ticketing_processing"': 1,
      'to="ota_callback_pending"': 1,
    });
    assert.equal(Object.keys(samplesOf(scrape, "wavegate_attempts_total")).length, 3);
  });

  test("partners beyond a hundred share their series", async () => {
    const metrics = createMetrics([]);
    for (let partner = 0; partner < 130; partner += 1) {
      metrics.observe({ ...accepted, partner_id: `partner-${partner}` });
    }
    const samples = samplesOf(
      readScrape(await metrics.read(STATE).metrics()),
      "wavegate_orders_accepted_total",
    );
    assert.equal(Object.keys(samples).length, 101);
    assert.equal(samples['partner="other"'], 30);
  });

  test("a look that fails or hangs has no values, and is not begun again while it is under way", async () => {
    let looks = 0;
    let answer: (() => Promise<Overall>) | null = async () => OVERALL;
    const text = createOverallMetrics(() => {
      looks += 1;
      return answer === null ? new Promise(() => {}) : answer();
    }, 20);
    const up = async (): Promise<number | undefined> => {
      const scrape = readScrape(await text());
      const others = [...scrape.keys()].filter((name) => name !== "wavegate_database_up");
      const value = scrape.get("wavegate_database_up");
      assert.equal(others.length > 0, value === 1);
      return value;
    };
    assert.equal(await up(), 1);
    answer = async () => Promise.reject(new Error("away"));
    assert.equal(await up(), 0);
    answer = async () => OVERALL;
    assert.equal(await up(), 1);
    answer = null;
    assert.deepEqual(await Promise.all([up(), up()]), [0, 0]);
    assert.equal(await up(), 0);
    assert.equal(looks, 4);
  });
});

const accepted = {
  ...ORDER,
  event: "order.accepted",
  external_order_id: "EXT-1",
  duration_ms: 5,
  commit_ms: 4,
} as const;
const attempted = {
  ...ORDER,
  attempt: 1,
  outcome: "retry",
  code: null,
  error: "timeout",
  duration_ms: 10,
  span_id: null,
  url: null,
  waited_ms: null,
  dns_ms: null,
  connect_ms: null,
  tls_ms: null,
  first_byte_ms: null,
  settle_ms: 1,
  settled: "settled",
  job: "pending",
} as const;
/** One of each kind, so that each metric has a sample. */
const EVENTS: readonly WorkEvent[] = [
  accepted,
  { event: "http.answered", method: "POST", route: "/orders", status: 201, duration_ms: 7 },
  { ...attempted, event: "ticketing.attempted" },
  { ...attempted, event: "callback.attempted", moves_order: true },
  {
    ...ORDER,
    event: "order.settled",
    leg: "ticketing",
    status: "ticketed",
    attempts: 1,
    since_accepted_ms: 9,
  },
  { event: "auth.failed", partner_id: "", reason: "wrong_token", ip: null },
  { event: "operator.acted", operator: "kim", action: "POST /admin/bulk", status: 201, duration_ms: 3 },
];
