import type { Leg } from "../../../../../src/orders/states.ts";
import type { Moment } from "../../../api/types.ts";

export interface Entry {
  readonly key: string;
  readonly moment: Moment;
  readonly lane: Leg;
  /** Since the moment before it, in milliseconds; null: it is the first. */
  readonly gapMs: number | null;
}

export type Row =
  /** From here on it is about this leg, and of callbacks about this event. */
  | { readonly kind: "heading"; readonly key: string; readonly lane: Leg; readonly event: string | null }
  | { readonly kind: "moment"; readonly key: string; readonly lane: Leg; readonly entry: Entry }
  /** Attempts that all brought the same, but for the last of them. */
  | { readonly kind: "run"; readonly key: string; readonly lane: Leg; readonly entries: readonly Entry[] };

/** Fewer alike are shown one by one. */
const MIN_RUN = 4;

/** The lines of a timeline: by their legs, with what repeats itself folded. */
export function timelineRows(timeline: readonly Moment[]): Row[] {
  const entries = entriesOf(timeline);
  const rows: Row[] = [];
  let heading = "";
  for (let at = 0; at < entries.length;) {
    const { key, lane, moment } = entries[at]!;
    const event = lane === "callback" ? moment.event : null;
    // What tells of no event goes on with the one before it.
    if (!heading.startsWith(lane) || (event !== null && heading !== `${lane} ${event}`)) {
      heading = `${lane} ${event ?? "order.ticketed"}`;
      rows.push({ kind: "heading", key: `heading ${key}`, lane, event });
    }
    const alike = runLength(entries, at);
    if (alike >= MIN_RUN) {
      // By its first one: it stays open while it grows.
      rows.push({ kind: "run", key: `run ${key}`, lane, entries: entries.slice(at, at + alike - 1) });
      at += alike - 1;
    }
    const entry = entries[at]!;
    rows.push({ kind: "moment", key: entry.key, lane, entry });
    at += 1;
  }
  return rows;
}

function entriesOf(timeline: readonly Moment[]): Entry[] {
  let lane: Leg = "ticketing";
  let before: number | null = null;
  const seen = new Map<string, number>();
  return timeline.map((moment) => {
    lane = laneOf(moment) ?? lane;
    const at = Date.parse(moment.at);
    const gapMs = before === null ? null : at - before;
    before = at;
    const name = [moment.what, moment.leg, moment.event, moment.no, moment.action, moment.at].join(" ");
    const times = (seen.get(name) ?? 0) + 1;
    seen.set(name, times);
    return { key: `${name} ${times}`, moment, lane, gapMs };
  });
}

/** Null: it belongs to no leg of its own. */
function laneOf({ what, leg, action }: Moment): Leg | null {
  if (leg !== null) return leg;
  if (what === "delivered" || what === "event") return "callback";
  if (what === "received" || what === "ticketed") return "ticketing";
  if (action === "retry callback" || action === "resend callback") return "callback";
  return action === "retry ticketing" || action === "mark ticketed" ? "ticketing" : null;
}

function runLength(entries: readonly Entry[], from: number): number {
  const { moment: first } = entries[from]!;
  if (first.what !== "attempt") return 1;
  const end = entries.findIndex(
    ({ moment: { what, leg, event, code, error } }, index) =>
      index > from &&
      (what !== "attempt" ||
        leg !== first.leg ||
        event !== first.event ||
        code !== first.code ||
        error !== first.error),
  );
  return (end === -1 ? entries.length : end) - from;
}
