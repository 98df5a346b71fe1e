import type { Evidence } from "../evidence.ts";
import { SECRETS } from "../settings.ts";
import { invariant, type Invariant } from "./invariant.ts";

/** Processes live as long as they should, and say what they may. */
export function checkProcesses({ incarnations, lines, orders }: Evidence): Invariant[] {
  const byId = new Map(orders.map((order) => [order.row.id, order]));
  return [
    invariant("no gateway ends but as it is asked to", (tell) => {
      for (const { path, complaint } of incarnations)
        tell(null, complaint !== null && `gateway ${path} ended ${complaint}`);
    }),
    invariant("no defect in the logs", (tell) => {
      for (const { text, event } of lines) {
        const order = byId.get(Number(event?.["order_id"])) ?? null;
        // A process that is killed leaves its last line half written.
        const isDefect = event !== null && (event["level"] === "error" || event["level"] === "fatal");
        tell(order, isDefect && text);
      }
    }),
    invariant("no secret in the logs", (tell) => {
      for (const { text } of lines) {
        const secret = SECRETS.find((each) => text.includes(each));
        tell(null, secret !== undefined && text);
      }
    }),
  ];
}
