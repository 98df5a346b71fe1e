import type { Config, PartnerSeed } from "../config.ts";
import { secretToken } from "../lib/ids.ts";
import { startSandboxPartner, type ReceivedCallback } from "../sandbox/partner.ts";
import { startSandboxTicketing, type TicketingRequest } from "../sandbox/ticketing.ts";

/** Who is told of what arrives at the sandboxes. */
export interface SandboxHooks {
  onRequest?(request: TicketingRequest): void;
  onCallback?(callback: ReceivedCallback): void;
}

/** What surrounds a development gateway on this machine. */
export interface Development {
  /** The given configuration with the sandboxes and the operator in it. */
  readonly config: Config;
  readonly operatorToken: string;
  /** Null when TICKETING_URL names another. */
  readonly sandboxTicketingUrl: string | null;
  readonly callbackUrl: string;
  close(): Promise<void>;
}

/**
 * Starts the sandbox partner, the sandbox ticketing system unless TICKETING_URL names one, and makes an operator whose
 * token is new each time.
 */
export async function startDevelopment(config: Config, hooks: SandboxHooks): Promise<Development> {
  const signingSecret = config.callback.signingSecret ?? "";
  const ticketing = config.ticketing.url === null ? await startSandboxTicketing(hooks) : null;
  const partner = await startSandboxPartner({ ...hooks, signingSecret });
  const operatorToken = secretToken("wgo_");
  const operator = { name: "dev", token: operatorToken, role: "operator" } as const;
  return {
    config: {
      ...config,
      ticketing: { ...config.ticketing, url: ticketing?.url ?? config.ticketing.url },
      operators: [...config.operators.filter(({ name }) => name !== operator.name), operator],
    },
    operatorToken,
    sandboxTicketingUrl: ticketing?.url ?? null,
    callbackUrl: partner.url,
    async close() {
      await Promise.all([ticketing?.close(), partner.close()]);
    },
  };
}

/** The headers of a development partner; a token that is not the built-in one is not shown. */
export function partnerHeaders({ id, token }: PartnerSeed): string[] {
  return [`X-Partner-Id: ${id}`, `X-Partner-Token: ${token === "demotoken" ? token : "<its token>"}`];
}

/** The console, signed in by opening it: what stands behind the # is not sent, and the page takes it out of the address. */
export function consoleLink(url: string, { operatorToken }: Development): string {
  return `${url}/console/#token=${operatorToken}`;
}

/** An order to paste into a shell. */
export function curlOf(url: string, partner: PartnerSeed, callbackUrl: string): string {
  const order = {
    external_order_id: "EXT-1",
    callback_url: callbackUrl,
    items: [{ sku: "ADULT-DAY", qty: 2, unit_price_minor: 129900, currency: "THB" }],
    buyer: { name: "Alex" },
  };
  const headers = ["Content-Type: application/json", ...partnerHeaders(partner)];
  return [
    `curl -X POST ${url}/orders`,
    ...headers.map((header) => `-H '${header}'`),
    `-d '${JSON.stringify(order)}'`,
  ].join(" \\\n    ");
}
