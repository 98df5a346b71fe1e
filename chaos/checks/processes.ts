import type { Evidence } from "../evidence.ts";
import type { LogLine } from "../gateways.ts";
import { DRAIN_MS, SECRETS } from "../settings.ts";
import { invariant, type Invariant } from "./invariant.ts";

/** Processes live as long as they should, and say what they may. */
export function checkProcesses({ incarnations, lines, orders, faultLog }: Evidence): Invariant[] {
  const byId = new Map(orders.map((order) => [order.row.id, order]));
  return [
    invariant("no gateway ends but as it is asked to", (tell) => {
      for (const { path, complaint } of incarnations)
        tell(null, complaint !== null && `gateway ${path} ended ${complaint}`);
    }),
    invariant("no defect in the logs", (tell) => {
      for (const line of lines) {
        const { text, event } = line;
        const order = byId.get(Number(event?.["order_id"])) ?? null;
        // A process that is killed leaves its last line half written.
        const isDefect = event !== null && (event["level"] === "error" || event["level"] === "fatal");
        tell(order, isDefect && !gaveUp(line) && text);
      }
    }),
    invariant("no secret in the logs", (tell) => {
      for (const { text } of lines) {
        const secret = SECRETS.find((each) => text.includes(each));
        tell(null, secret !== undefined && text);
      }
    }),
  ];

  /** A graceful end waits for a database that is away, but not for ever: the claims stay for others to take over. */
  function gaveUp({ incarnation, event }: LogLine): boolean {
    const endedAt = incarnation.endedAt ?? 0;
    return (
      event?.["event"] === "attempt.unsettled" &&
      incarnation.end === "asked" &&
      faultLog.during(endedAt - DRAIN_MS - LAST_SETTLES_MS, endedAt, ["database"])
    );
  }
}

/** What a gateway takes beyond DRAIN_SECS to settle what it has cut off. */
const LAST_SETTLES_MS = 4_000;
