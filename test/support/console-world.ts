import {
  HMAC_SECRET,
  type HistoryOptions,
  SCHEDULE_SECS,
  SIGNING_SECRET,
  stageHistory,
} from "./console-history.ts";
import { PARTNERS, VENUE_TIME_ZONE } from "./console-orders.ts";
import { startTargets, type Targets } from "./console-targets.ts";
import { gatewayEnv, runGateway, type RunningGateway } from "./gateway.ts";

export const OPERATOR = { name: "day-shift", role: "operator", token: "wgo_of-the-day-shift" } as const;
export const VIEWER = { name: "front-desk", role: "viewer", token: "wgo_of-the-front-desk" } as const;

/** A real gateway with orders of every kind behind it. */
export interface ConsoleWorld {
  readonly gateway: RunningGateway;
  /** Where it is reached. */
  readonly url: string;
  readonly targets: Targets;
  /** The id of an order, by its name in `console-orders.ts`. */
  idOf(name: string): number;
  /** `POST /orders` of a partner, whom its callback reaches. @returns the order's id */
  order(body?: Record<string, unknown>, partnerId?: string): Promise<number>;
  close(): Promise<void>;
}

export interface WorldOptions extends HistoryOptions {
  readonly env?: Readonly<Record<string, string>>;
}

export async function startConsoleWorld({ env = {}, ...history }: WorldOptions): Promise<ConsoleWorld> {
  const targets = await startTargets();
  // On a whole minute, so that times read the same on every run but for the minute.
  const ids = await stageHistory(history, targets, Math.floor(Date.now() / 60_000) * 60_000);
  const gateway = await runGateway({
    ...gatewayEnv(history.url, targets.ticketing.url),
    PARTNERS_JSON: "[]",
    OPERATORS_JSON: JSON.stringify([
      OPERATOR,
      VIEWER,
      { ...OPERATOR, name: "night-shift", token: "wgo_of-the-night" },
    ]),
    APP_HMAC_SECRET: HMAC_SECRET,
    CALLBACK_SIGNING_SECRET: SIGNING_SECRET,
    RETRY_SCHEDULE_SECS: SCHEDULE_SECS.join(","),
    TICKETING_ON_UNKNOWN: "hold",
    VENUE_TIMEZONE: VENUE_TIME_ZONE,
    // Longer than anybody looks: what an open circuit holds stays where it is.
    CIRCUIT_PROBE_SECS: "3600",
    ...env,
  });
  const headersOf = (partnerId: string): Record<string, string> => {
    const { token = "" } = PARTNERS.find(({ id }) => id === partnerId) ?? {};
    return { "x-partner-id": partnerId, "x-partner-token": token };
  };
  await refuseSome(gateway, headersOf);
  const { status } = await gateway.get("/console/");
  if (status !== 200)
    throw new Error(`the console answers ${status}: has it been built? npm run build -w console`);
  return {
    gateway,
    url: gateway.url!,
    targets,
    idOf(name) {
      const id = ids.get(name);
      if (id === undefined) throw new Error(`there is no order ${name}`);
      return id;
    },
    async order(body = {}, partnerId = "ota-one") {
      const item = { sku: "ADULT-DAY", qty: 2, unit_price_minor: 129_900, currency: "THB" };
      const whole = {
        external_order_id: "EXT-8000",
        callback_url: targets.callbackUrl(partnerId),
        items: [item],
        buyer: { name: "Alex" },
        ...body,
      };
      const answer = await gateway.post(whole, headersOf(partnerId));
      if (answer.status !== 201) throw new Error(`not accepted: ${await answer.text()}`);
      return ((await answer.json()) as { id: number }).id;
    },
    async close() {
      await gateway.stop();
      await targets.close();
    },
  };
}

/** What a partner says it has sent, and nobody has. */
async function refuseSome(
  { post }: RunningGateway,
  headersOf: (partnerId: string) => Record<string, string>,
): Promise<void> {
  const order = {
    external_order_id: "EXT-7740",
    callback_url: "https://ota.example.com/callbacks",
    items: [{ sku: "ADULT-DAY", qty: 2, unit_price_minor: 129_900, currency: "THB" }],
  };
  const one = headersOf("ota-one");
  for (const [body, headers] of [
    [{ ...order, items: [{ ...order.items[0], qty: 0 }] }, one],
    [{ ...order, items: [{ ...order.items[0], currency: "baht" }] }, one],
    [{ ...order, callback_url: "http://10.0.0.7/callbacks" }, headersOf("ota-two")],
    [order, { ...one, "x-partner-token": "yesterday's" }],
    [order, { ...one, "x-partner-token": "yesterday's" }],
    ['{"external_order_id": "EXT-7741",', headersOf("demo")],
  ] as const) {
    const answer = await post(body, headers);
    if (answer.ok) throw new Error("accepted what should be refused");
  }
}
