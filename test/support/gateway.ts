import { setTimeout as sleep } from "node:timers/promises";
import { tmpdir } from "node:os";
import type { Gateway } from "../../src/gateway.ts";
import type { Log } from "../../src/observe/log.ts";
import { SILENT } from "./log.ts";

export const PARTNER_HEADERS = { "x-partner-id": "demo", "x-partner-token": "demotoken" };

/** What a gateway is started with in tests: production's rules, but callbacks to loopback. */
export function gatewayEnv(databaseUrl: string, ticketingUrl: string): Record<string, string> {
  return {
    DATABASE_URL: databaseUrl,
    TICKETING_URL: ticketingUrl,
    PORT: "0",
    PARTNERS_JSON: JSON.stringify([
      { id: "demo", name: "Demo", token: "demotoken", rate_limit: { capacity: 1000, per_sec: 1000 } },
    ]),
    REQUIRE_HTTPS_CALLBACKS: "0",
    ALLOWED_CALLBACK_CIDRS: "127.0.0.0/8",
    ALLOWED_CALLBACK_PORTS: "*",
    RETRY_JITTER_SECS: "0",
    POLL_SECS: "0.1",
  };
}

export interface RunningGateway extends Gateway {
  post(body: unknown, headers?: Record<string, string>): Promise<Response>;
  get(path: string, headers?: Record<string, string>): Promise<Response>;
  /** The order once it has reached one of these statuses. */
  reach(id: number, ...statuses: string[]): Promise<OrderShown>;
}

/** As `GET /orders/{id}` shows it. */
// oxlint-disable-next-line typescript/no-explicit-any -- whatever the API says is asserted field by field
export type OrderShown = Record<string, any>;

/** A whole gateway in this process, on a port of its own. */
export async function runGateway(env: Record<string, string>, log: Log = SILENT): Promise<RunningGateway> {
  // Only here: who runs gateways as processes of their own needs nothing of it.
  const [{ loadConfig }, { startGateway }] = await Promise.all([
    import("../../src/config.ts"),
    import("../../src/gateway.ts"),
  ]);
  const config = loadConfig({ env, directory: tmpdir(), dev: false });
  const gateway = await startGateway(config, log);
  const get = (path: string, headers: Record<string, string> = PARTNER_HEADERS): Promise<Response> =>
    fetch(gateway.url + path, { headers });
  return {
    ...gateway,
    get,
    post: (body, headers = {}) =>
      fetch(`${gateway.url}/orders`, {
        method: "POST",
        headers: { "content-type": "application/json", ...PARTNER_HEADERS, ...headers },
        body: typeof body === "string" ? body : JSON.stringify(body),
      }),
    async reach(id, ...statuses) {
      for (let tries = 0; tries < 400; tries += 1) {
        const order = (await (await get(`/orders/${id}`)).json()) as OrderShown;
        if (statuses.includes(order["status"])) return order;
        await sleep(50);
      }
      throw new Error(`order ${id} never reached ${statuses.join(" or ")}`);
    },
  };
}
