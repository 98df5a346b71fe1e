import { LEGS } from "../src/orders/states.ts";
import type { OrderEvidence } from "./evidence.ts";
import type { FaultLog } from "./fault-log.ts";

/** All that is known of one order, in the order of time: to find out what happened to it. */
export function storyOf({ row, legs }: OrderEvidence, { faults }: FaultLog): string[] {
  const events: { at: number; text: string }[] = [{ at: row.created_at, text: "accepted" }];
  const tell = (at: number | null, text: string): void => void (at !== null && events.push({ at, text }));
  tell(row.ticketed_at, `ticketed, reference ${row.reference}`);
  tell(row.delivered_at, "delivered");
  for (const leg of LEGS) {
    for (const { row, late, request } of legs[leg].attempts) {
      const named = request ? ` = request ${request.no}` : "";
      tell(row.at, `${leg} attempt ${row.no}: ${row.code} ${row.error} in ${row.duration_ms} ms${named}`);
      if (late) tell(late.recorded_at, `${leg} attempt ${row.no} heard late: ${late.code} ${late.error}`);
    }
    for (const { startedAt, no, path, behaviour, status, whole, closedAt } of legs[leg].requests) {
      const end = closedAt === null ? "open" : `closed after ${closedAt - startedAt} ms`;
      tell(
        startedAt,
        `  ${leg} request ${no} ${path}: ${behaviour}, ${status} ${whole ? "whole" : "not whole"}, ${end}`,
      );
    }
  }
  const last = Math.max(...events.map(({ at }) => at));
  for (const { kind, path, from, to } of faults) {
    if (to < row.created_at || from > last) continue;
    tell(from, `! ${kind} ${path ?? ""} for ${to - from} ms`);
  }
  const lines = events
    .toSorted((a, b) => a.at - b.at)
    .map(({ at, text }) => `  +${String(at - row.created_at).padStart(6)} ms  ${text}`);
  return [
    `order ${row.id}, ${row.external_order_id}, trace ${row.trace_id}, ${row.pipeline_status}`,
    ...lines,
  ];
}
