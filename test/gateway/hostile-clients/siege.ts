import assert from "node:assert/strict";
import { connect } from "node:net";
import type { TestContext } from "node:test";
import { SECURITY_HEADERS } from "../../../src/http/headers.ts";
import type { DatabaseUnderTest } from "../../support/databases.ts";
import { gatewayEnv, type RunningGateway, runGateway } from "../../support/gateway.ts";
import { type Recorder, startRecorder } from "../../support/recorder.ts";
import { orderBody } from "../../support/way.ts";
import { watchHeap } from "./heap.ts";

/** What a hostile client sends on a connection of its own, and the statuses it must be answered with. */
export interface Hostile {
  readonly name: string;
  readonly bytes: Buffer | string;
  readonly answers: readonly number[];
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

/** A gateway under attack, on a database of its own; everything else of it is real, too. */
export interface Siege {
  readonly gateway: RunningGateway;
  readonly ticketing: Recorder;
  readonly partner: Recorder;
  /** Sends bytes as they are and gives what comes back until the gateway ends the connection. */
  exchange(bytes: Buffer | string): Promise<Answer[]>;
  /**
   * Sends them all, several at a time, and a good order in their midst. Each must get its answers, each a problem with a
   * reason; nothing but the good order may be stored, and the gateway must be well afterwards.
   */
  withstand(t: TestContext, family: string, hostiles: readonly Hostile[]): Promise<void>;
  /** Asserts that the gateway holds little more than when the siege began. */
  assertLittleIsHeld(): void;
  /** Rows of the tables that an order is written to. */
  stored(): Promise<Record<string, number>>;
  stop(): Promise<void>;
}

const ATTACKERS = 8;
/** Far from what anything takes: who is left hanging so long has not been answered. */
const PATIENCE_MS = 5000;
const TABLES = ["orders", "order_items", "ticketing_jobs", "idempotency_keys"] as const;
const INSIDE = /\bat .*:\d+:\d+|node_modules|\.ts\b|sqlite|postgres|kysely|ECONN|relation|constraint/i;

export async function layIn(kind: DatabaseUnderTest, env: Record<string, string> = {}): Promise<Siege> {
  const ticketing = await startRecorder();
  const partner = await startRecorder();
  const gateway = await runGateway({
    ...gatewayEnv(await kind.migratedUrl(), ticketing.url),
    PARTNERS_JSON: JSON.stringify([
      { id: "demo", name: "Demo", token: "demotoken", rate_limit: { capacity: 1e6, per_sec: 1e6 } },
    ]),
    TRUSTED_PROXIES: "127.0.0.1/32",
    ...env,
  });
  const port = Number(new URL(gateway.url!).port);
  const { queries } = gateway.storage.database;
  let keys = 0;
  const assertLittleIsHeld = watchHeap();

  const stored = async () => {
    const counts: Record<string, number> = {};
    for (const table of TABLES) {
      const [row] = await queries
        .selectFrom(table)
        .select(({ fn }) => fn.countAll().as("count"))
        .execute();
      counts[table] = Number(row!.count);
    }
    return counts;
  };

  const isServed = async () => {
    const key = { "idempotency-key": `good-${(keys += 1)}` };
    const response = await gateway.post(orderBody(`${partner.url}/cb`), key);
    assert.equal(response.status, 201, await response.text());
  };

  const exchange = async (bytes: Buffer | string) => answersIn(await talk(port, bytes));

  return {
    gateway,
    ticketing,
    partner,
    exchange,
    stored,
    assertLittleIsHeld,
    async withstand(t, family, hostiles) {
      const before = await stored();
      const waiting = hostiles.values();
      const attack = async () => {
        for (const { name, bytes, answers } of waiting) {
          const got = await exchange(bytes);
          assert.deepEqual(
            got.map(({ status }) => status),
            answers,
            `${family}, ${name}: ${JSON.stringify(got)}`,
          );
          for (const answer of got) assertReasoned(answer, `${family}, ${name}`);
        }
      };
      const attacks = Array.from({ length: ATTACKERS }, attack);
      await Promise.all([...attacks, isServed()]);

      const expected = Object.entries(before).map(([table, count]) => [table, count + 1]);
      assert.deepEqual(await stored(), Object.fromEntries(expected), `${family}: nothing but the good order`);
      assert.equal((await gateway.get("/health")).status, 200);
      await isServed();
      t.diagnostic(`${family}: ${hostiles.length} cases`);
    },
    async stop() {
      await gateway.stop();
      await Promise.all([ticketing.close(), partner.close()]);
    },
  };
}

/** A refusal says why, in RFC 9457's form, and nothing of what is inside. */
function assertReasoned({ status, headers, body }: Answer, name: string): void {
  if (status === 100) return;
  for (const [header, value] of Object.entries(SECURITY_HEADERS))
    assert.equal(headers.get(header), value, name);
  assert.ok(headers.has("date"), name);
  if (status < 400) return;
  assert.ok(status < 500, name);
  assert.equal(headers.get("content-type"), "application/problem+json", name);
  const problem = JSON.parse(body) as { type: string; status: number; detail: string };
  assert.match(problem.type, /^urn:wavegate:problem:[a-z-]+$/, name);
  assert.equal(problem.status, status, name);
  assert.ok(problem.detail.length > 0, name);
  assert.doesNotMatch(body, INSIDE, name);
}

function talk(port: number, bytes: Buffer | string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = connect(port, "127.0.0.1");
  let text = "";
  socket.setEncoding("latin1");
  socket.on("data", (piece: string) => {
    text += piece;
    if (/^connection: close\r$/im.test(text)) socket.end();
  });
  // A gateway that is done with a client may reset the connection while the client still sends.
  socket.on("error", () => {});
  socket.on("close", () => resolve(text));
  socket.setTimeout(PATIENCE_MS, () => socket.destroy());
  socket.write(bytes);
  return promise;
}

function answersIn(text: string): Answer[] {
  const answers: Answer[] = [];
  for (let rest = text; rest !== "";) {
    const [head = "", ...after] = rest.split("\r\n\r\n");
    const [first = "", ...lines] = head.split("\r\n");
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(first)?.[1]);
    const headers = new Headers(
      lines.map((line): [string, string] => [line.split(": ")[0]!, line.split(": ")[1]!]),
    );
    const length = Number(headers.get("content-length") ?? 0);
    rest = after.join("\r\n\r\n");
    answers.push({ status, headers, body: Buffer.from(rest.slice(0, length), "latin1").toString() });
    rest = rest.slice(length);
  }
  return answers;
}

/** Values, one a line or several with bars between them. */
export function listed(text: string): string[] {
  return text.trim().split(/\s*\n\s*|\s+\|\s+/);
}

/** The head of a request as its lines; each ends as RFC 9112 wants it. */
export function head(...lines: readonly string[]): string {
  return [...lines, "", ""].join("\r\n");
}

export const POST = "POST /orders HTTP/1.1";
export const HOST = "Host: gateway.example";
export const TOKEN = "X-Partner-Token: demotoken";
export const PARTNER = ["X-Partner-Id: demo", TOKEN];
export const JSON_TYPE = "Content-Type: application/json";
/** So that the end of the answers is the end of the connection. */
export const CLOSE = "Connection: close";

/** A whole request with a body, in all else as good as can be. */
export function posted(body: Buffer | string, ...more: readonly string[]): Buffer {
  const length = `Content-Length: ${Buffer.byteLength(body)}`;
  const good = head(POST, HOST, ...PARTNER, JSON_TYPE, CLOSE, length, ...more);
  return Buffer.concat([Buffer.from(good, "latin1"), Buffer.from(body)]);
}
