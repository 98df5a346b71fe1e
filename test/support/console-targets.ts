import { confirm, seeded } from "./console-orders.ts";
import { type Recorded, type Recorder, type Reply, startRecorder } from "./recorder.ts";

export type Target = "ticketing" | "partner";

/** Ticketing and the partners, who answer each order as it was arranged, and all others as one would wish. */
export interface Targets {
  readonly ticketing: Recorder;
  readonly partner: Recorder;
  /** As ticketing answers; for those who ask it elsewhere. */
  readonly ticket: Reply;
  /** Answers of a target to one order, by its external id; the last repeats. None: it is well again. */
  script(target: Target, externalOrderId: string, ...replies: Reply[]): void;
  callbackUrl(partnerId: string): string;
  /** Told how long an answer takes: time may be made up. It is given when this is done. */
  took: (ms: number, externalOrderId: string) => Promise<void>;
  close(): Promise<void>;
}

export async function startTargets(): Promise<Targets> {
  const scripts = new Map<string, Reply[]>();
  const chance = seeded(42);

  const answerOf =
    (target: Target, idOf: (request: Recorded) => string, otherwise: Reply): Reply =>
    async (response, request) => {
      const id = idOf(request);
      const ms = target === "ticketing" ? 90 + 400 * chance() ** 3 : 30 + 120 * chance() ** 2;
      await targets.took(Math.round(ms), id);
      const script = scripts.get(`${target} ${id}`) ?? [];
      const reply = (script.length > 1 ? script.shift() : script[0]) ?? otherwise;
      if (typeof reply === "number") response.writeHead(reply).end();
      else reply(response, request);
    };
  const ticket = answerOf("ticketing", ({ headers }) => String(headers["x-external-order-id"]), confirm);
  const callback = answerOf("partner", ({ body }) => externalIdIn(body), 200);

  const [ticketing, partner] = await Promise.all([startRecorder(ticket), startRecorder(callback)]);
  const targets: Targets = {
    ticketing,
    partner,
    ticket,
    took: async () => {},
    script: (target, externalOrderId, ...replies) =>
      void scripts.set(`${target} ${externalOrderId}`, replies),
    callbackUrl: (partnerId) => `${partner.url}/${partnerId}/callbacks`,
    async close() {
      await Promise.all([ticketing.close(), partner.close()]);
    },
  };
  return targets;
}

function externalIdIn(body: string): string {
  // A test callback has none.
  const { order } = JSON.parse(body) as { order?: { external_order_id: string } };
  return order?.external_order_id ?? "";
}
