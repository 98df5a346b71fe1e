import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { createInterface } from "node:readline";
import { after } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type OrderShown, PARTNER_HEADERS } from "./gateway.ts";
import { MAIN } from "./main.ts";

/** Bounds of waiting, far from what anything takes: a test that meets one has failed. */
const WAIT_MS = 30_000;
const LOOK_EVERY_MS = 25;

export interface LogLine {
  readonly event: string;
  readonly pid: number;
  readonly [field: string]: unknown;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** `wavegate serve` as its users run it: a process of its own. */
export interface ServeProcess {
  readonly pid: number;
  /** Of stdout so far. */
  readonly log: readonly LogLine[];
  /** What it has said on stderr. */
  stderr(): string;
  signal(name: NodeJS.Signals): void;
  readonly ended: Promise<Ended>;
  /** The first line that matches, also one that was written already. Rejects when the process ends without. */
  logged(event: string, matches?: (line: LogLine) => boolean): Promise<LogLine>;
  /** By SIGTERM. */
  stop(): Promise<Ended>;
  /** By SIGKILL. */
  kill(): Promise<Ended>;
}

export interface GatewayProcess extends ServeProcess {
  readonly url: string;
  post(body: unknown, headers?: Record<string, string>): Promise<Response>;
  get(path: string): Promise<Response>;
  /** Posts an order that must be accepted, and gives its id. */
  accepted(body: unknown, headers?: Record<string, string>): Promise<number>;
  order(id: number): Promise<OrderShown>;
  /** The order once it has reached one of these statuses. */
  reach(id: number, ...statuses: string[]): Promise<OrderShown>;
}

export interface SpawnOptions {
  readonly args?: readonly string[];
  /** A program and its arguments that run the command line which follows them. */
  readonly under?: readonly string[];
}

const running = new Set<ChildProcess>();
after(() => {
  for (const child of running) child.kill("SIGKILL");
});

/** Begins a `serve`, which need not come up. */
export function spawnServe(env: Record<string, string>, { args = [], under = [] }: SpawnOptions = {}) {
  const [program = "", ...rest] = [...under, process.execPath, MAIN, "serve", ...args];
  const { PATH = "" } = process.env;
  const child = spawn(program, rest, {
    // Nobody's .env is read.
    cwd: tmpdir(),
    env: { PATH, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.add(child);
  const log: LogLine[] = [];
  let errors = "";
  createInterface({ input: child.stdout }).on("line", (line) => log.push(JSON.parse(line) as LogLine));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  const ended = once(child, "close").then(([code, signal]): Ended => {
    running.delete(child);
    return { code: code as number | null, signal: signal as NodeJS.Signals | null };
  });
  let over = false;
  void ended.then(() => (over = true));
  const end = (name: NodeJS.Signals): Promise<Ended> => {
    child.kill(name);
    return ended;
  };
  const serve: ServeProcess = {
    pid: child.pid!,
    log,
    stderr: () => errors,
    signal: (name) => void child.kill(name),
    ended,
    logged: (event, matches = () => true) =>
      until(`${event} in the log`, () => {
        const line = log.find((one) => one.event === event && matches(one));
        if (line === undefined && over) throw new Error(`serve ended without ${event}: ${errors}`);
        return line;
      }),
    stop: () => end("SIGTERM"),
    kill: () => end("SIGKILL"),
  };
  return serve;
}

/** A `serve` that has started. */
export async function spawnGateway(
  env: Record<string, string>,
  options: SpawnOptions = {},
): Promise<GatewayProcess> {
  const serve = spawnServe(env, options);
  const url = String((await serve.logged("gateway.started"))["url"]);
  const get = (path: string): Promise<Response> => fetch(url + path, { headers: PARTNER_HEADERS });
  const post = (body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${url}/orders`, {
      method: "POST",
      headers: { "content-type": "application/json", ...PARTNER_HEADERS, ...headers },
      body: JSON.stringify(body),
    });
  const order = async (id: number): Promise<OrderShown> =>
    (await (await get(`/orders/${id}`)).json()) as OrderShown;
  return {
    ...serve,
    url,
    get,
    post,
    async accepted(body, headers) {
      const response = await post(body, headers);
      const text = await response.text();
      if (response.status !== 201) throw new Error(`not accepted: ${response.status} ${text}`);
      return (JSON.parse(text) as { id: number }).id;
    },
    order,
    reach: (id, ...statuses) =>
      until(`order ${id} ${statuses.join(" or ")}`, async () => {
        const shown = await order(id);
        return statuses.includes(String(shown["status"])) ? shown : undefined;
      }),
  };
}

/** Looks again and again until there is something; rejects when that takes too long. */
export async function until<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
  const deadline = performance.now() + WAIT_MS;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > deadline) throw new Error(`waited too long for: ${what}`);
    await sleep(LOOK_EVERY_MS);
  }
}
