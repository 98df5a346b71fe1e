import { type ReactNode, useState } from "react";
import type { Leg } from "../../../../../src/orders/states.ts";
import { hostOf } from "../../../../../src/orders/verdict-words.ts";
import type { OrderStory } from "../../../api/types.ts";
import { LEG_NAMES, meaningOf, titleOf } from "./moment-words.ts";
import { markOf, MomentContent } from "./moment-row.tsx";
import { NextContent, StandsStill, standsStillTone } from "./next-point.tsx";
import { type Mark, Rail, type Reach } from "./rail.tsx";
import { RunContent, useOpened } from "./run-row.tsx";
import { type Row, timelineRows } from "./timeline-rows.ts";

/** A line of the list, whatever it tells. */
interface Line {
  readonly key: string;
  readonly lane: Leg;
  readonly mark?: Mark;
  readonly isHeading?: boolean;
  readonly isFresh?: boolean;
  readonly content: ReactNode;
}

/** An order's way, from its receipt to what comes next. It moves while one looks at it. */
export function Timeline({ story }: { readonly story: OrderStory }) {
  const rows = timelineRows(story.timeline);
  const [opened, toggle] = useOpened();
  const isFresh = useFresh(rows);
  const lines = rows.flatMap((row) => linesOf(row)).concat(toCome(story));
  const reach = reachOf(lines);

  function linesOf(row: Row): Line[] {
    const { key, lane } = row;
    if (row.kind === "heading")
      return [{ key, lane, isHeading: true, content: <Heading row={row} story={story} /> }];
    if (row.kind === "moment") return [momentLine(row.entry)];
    const isOpen = opened.has(key);
    const content = <RunContent entries={row.entries} isOpen={isOpen} onToggle={() => toggle(key)} />;
    const own = { key, lane, mark: markOf(row.entries[0]!), content };
    return isOpen ? [own, ...row.entries.map(momentLine)] : [own];
  }
  function momentLine(entry: (Row & { kind: "moment" })["entry"]): Line {
    const { key, lane } = entry;
    const content = <MomentContent entry={entry} story={story} />;
    return { key, lane, mark: markOf(entry), isFresh: isFresh(key), content };
  }

  return (
    <>
      <ol className="py-2 ps-2 pe-1.5">
        {lines.map(({ key, lane, mark, isHeading, isFresh: fresh, content }, index) => (
          <li
            key={key}
            className={`grid grid-cols-[3.25rem_minmax(0,1fr)] rounded pe-1.5 ${fresh ? "animate-fresh" : ""} ${isHeading ? "" : "min-h-8"}`}
          >
            <Rail row={index} reach={reach} lane={lane} {...(mark && { mark })} />
            {content}
          </li>
        ))}
      </ol>
      <p role="status" className="sr-only">
        {announcementOf(rows, isFresh, story)}
      </p>
    </>
  );
}

function Heading({ row, story }: { readonly row: Row & { kind: "heading" }; readonly story: OrderStory }) {
  const { lane, event } = row;
  const host = lane === "callback" ? hostOf(story.order.callback_url) : null;
  return (
    <h2 className="pt-2 pb-0.5 text-xs font-semibold text-ink-3">
      {LEG_NAMES[lane]}
      {host !== null && <span className="font-normal wrap-anywhere"> to {host}</span>}
      {event !== null && event !== "order.ticketed" && <span className="font-normal">, {event}</span>}
    </h2>
  );
}

function toCome(story: OrderStory): Line[] {
  const next = story.next_attempts.map((attempt): Line => ({
    key: `next ${attempt.leg} ${attempt.event}`,
    lane: attempt.leg,
    mark: { tone: attempt.in_flight ? "work" : "wait", hollow: true },
    content: <NextContent attempt={attempt} />,
  }));
  const tone = standsStillTone(story);
  const lane = story.order.status.startsWith("ota_") ? "callback" : "ticketing";
  const still: Line[] =
    tone === null
      ? []
      : [{ key: "still", lane, mark: { tone, hollow: true }, content: <StandsStill story={story} /> }];
  return [...next, ...still, ...callbackToCome(story)];
}

/** The second leg stands there from the start: nothing moves aside for it, and the whole way is seen. */
function callbackToCome({ order, callbacks }: OrderStory): Line[] {
  const isOver = order.status === "cancelled" || order.status === "closed";
  if (isOver || order.ticketed_at !== null || callbacks.length > 0) return [];
  const content = <p className="py-1.5 text-ink-3">Then the partner is told, once there are tickets</p>;
  return [{ key: "callback", lane: "callback", mark: { tone: "rest", hollow: true }, content }];
}
function reachOf(lines: readonly Line[]): Reach {
  const of = (lane: Leg): Reach[Leg] => {
    const isOn = (line: Line): boolean => line.lane === lane && line.mark !== undefined;
    const first = lines.findIndex(isOn);
    return first === -1 ? null : [first, lines.findLastIndex(isOn)];
  };
  return { ticketing: of("ticketing"), callback: of("callback") };
}

/** What wasn't there when the page was opened. */
function useFresh(rows: readonly Row[]): (key: string) => boolean {
  const [known] = useState(() => new Set(keysOf(rows)));
  return (key) => !known.has(key);
}

function keysOf(rows: readonly Row[]): string[] {
  return rows.flatMap((row) =>
    row.kind === "run" ? row.entries.map(({ key }) => key) : row.kind === "moment" ? [row.key] : [],
  );
}

function announcementOf(rows: readonly Row[], isFresh: (key: string) => boolean, story: OrderStory): string {
  const last = rows.findLast((row) => row.kind === "moment");
  if (last?.kind !== "moment" || !isFresh(last.key)) return "";
  const { moment } = last.entry;
  const title = titleOf(moment, story);
  return moment.what === "attempt" ? `${title}: ${meaningOf(moment)}` : title;
}
