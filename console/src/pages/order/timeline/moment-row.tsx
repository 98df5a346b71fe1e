import type { ReactNode } from "react";
import type { OrderStory } from "../../../api/types.ts";
import { duration, span } from "../../../format/time.ts";
import { visible } from "../../../format/visible.ts";
import { BellIcon, CheckIcon, InboxIcon, PersonIcon, TicketIcon, WarningIcon } from "../../../ui/icons.tsx";
import { Time } from "../../../ui/time.tsx";
import { Fold } from "../fold.tsx";
import { TextBlock } from "../text-block.tsx";
import { meaningOf, titleOf, toneOfResult } from "./moment-words.ts";
import type { Mark } from "./rail.tsx";
import { ResultChip } from "./result-chip.tsx";
import type { Entry } from "./timeline-rows.ts";

/** The sign on the rail. */
export function markOf({ moment }: Entry): Mark {
  switch (moment.what) {
    case "received":
      return { tone: "rest", Icon: InboxIcon };
    case "attempt":
    case "late_result":
      return { tone: toneOfResult(moment) };
    case "ticketed":
      return { tone: "good", Icon: TicketIcon };
    case "delivered":
      return { tone: "good", Icon: CheckIcon };
    case "event":
      return { tone: "rest", Icon: BellIcon };
    case "action":
      return { tone: "work", Icon: PersonIcon };
    case "circuit_opened":
      return { tone: "stop", Icon: WarningIcon };
    case "circuit_closed":
      return { tone: "good", Icon: WarningIcon };
  }
}

/** One thing that happened: what, and when; below it in small what was said of it. */
export function MomentContent({ entry, story }: { readonly entry: Entry; readonly story: OrderStory }) {
  const { moment, gapMs } = entry;
  const { what, note, answer } = moment;
  const isResult = what === "attempt" || what === "late_result";
  const isMilestone = what === "ticketed" || what === "delivered";
  return (
    <div className="min-w-0 py-1.5">
      <div className="flex flex-wrap items-baseline gap-x-2.5 gap-y-0.5 sm:flex-nowrap">
        <div className="flex min-w-0 flex-wrap items-center gap-x-2.5 gap-y-0.5 sm:flex-1">
          <span className={`wrap-anywhere ${isMilestone ? "font-semibold text-good" : "font-medium"}`}>
            {visible(titleOf(moment, story))}
          </span>
          {isResult && <ResultChip moment={moment} />}
          {isResult && <span className="text-ink-2">{meaningOf(moment)}</span>}
        </div>
        <When at={moment.at} gapMs={gapMs} durationMs={moment.duration_ms} />
      </div>
      {note !== null && moment.action !== "reveal" && moment.error !== "lost" && (
        <p className="max-w-[90ch] wrap-anywhere text-ink-2">
          {what === "action" ? `“${visible(note)}”` : visible(note)}
        </p>
      )}
      {answer !== null && (
        <Fold
          className="max-w-full"
          summary={
            <span className="min-w-0 truncate font-mono text-xs text-ink-3">
              <span className="sr-only">Answer: </span>
              {visible(answer.slice(0, 200))}
            </span>
          }
        >
          {() => (
            <div className="py-1.5">
              <TextBlock text={answer} what={`answer to attempt ${moment.no}`} low />
            </div>
          )}
        </Fold>
      )}
    </div>
  );
}

interface WhenProps {
  readonly at: string;
  readonly gapMs: number | null;
  readonly durationMs: number | null;
}

/** In columns of their own, so that the eye runs down them. */
function When({ at, gapMs, durationMs }: WhenProps) {
  return (
    <span className="num ms-auto flex shrink-0 items-baseline text-xs text-ink-3">
      <Cell width="sm:w-16" title="How long it took">
        {durationMs === null ? "" : duration(durationMs)}
      </Cell>
      <Cell width="sm:w-24" title="Since the step before">
        {gapMs !== null && gapMs >= 1000
          ? `after ${gapMs < 60_000 ? duration(gapMs) : span(gapMs / 1000)}`
          : ""}
      </Cell>
      <span className="text-ink-2 sm:min-w-22 sm:text-end">
        <Time at={at} />
      </span>
    </span>
  );
}

function Cell({
  width,
  title,
  children,
}: {
  readonly width: string;
  readonly title: string;
  readonly children: ReactNode;
}) {
  return (
    <span title={title} className={`text-end whitespace-nowrap max-sm:not-empty:me-3 ${width}`}>
      {children}
    </span>
  );
}
