import type { Moment, OrderStory } from "../../../api/types.ts";
import { duration } from "../../../format/time.ts";
import { visible } from "../../../format/visible.ts";
import { Empty } from "../../../ui/empty.tsx";
import { InboxIcon } from "../../../ui/icons.tsx";
import { Time } from "../../../ui/time.tsx";
import { Fold } from "../fold.tsx";
import { TextBlock } from "../text-block.tsx";
import { ResultChip } from "../timeline/result-chip.tsx";

/** Every answer that was kept, the newest first. */
export function AnswersTab({ story }: { readonly story: OrderStory }) {
  const answered = story.timeline.filter(({ answer }) => answer !== null).toReversed();
  if (answered.length === 0) {
    return (
      <Empty Icon={InboxIcon} title="No answers">
        Nobody has answered yet, or what they answered had no text.
      </Empty>
    );
  }
  return (
    <ol>
      {answered.map((moment) => (
        <li
          key={`${moment.what} ${moment.leg} ${moment.event} ${moment.no} ${moment.at}`}
          className="border-t border-line px-3 py-1.5 first:border-0"
        >
          <Fold summary={<Summary moment={moment} />}>
            {() => (
              <div className="py-2">
                <TextBlock text={moment.answer ?? ""} what={`answer to ${nameOf(moment)}`} low />
              </div>
            )}
          </Fold>
        </li>
      ))}
    </ol>
  );
}

function Summary({ moment }: { readonly moment: Moment }) {
  return (
    <span className="flex min-w-0 flex-1 flex-wrap items-center gap-x-3 gap-y-0.5">
      <span className="flex items-center gap-2">
        <span className="text-ink">{nameOf(moment)}</span>
        <ResultChip moment={moment} />
      </span>
      <span className="hidden min-w-0 flex-1 basis-40 truncate font-mono text-xs text-ink-3 sm:inline">
        {visible(moment.answer?.slice(0, 200) ?? "")}
      </span>
      <span className="num ms-auto flex gap-3 text-xs text-ink-3">
        {moment.duration_ms !== null && <span>{duration(moment.duration_ms)}</span>}
        <Time at={moment.at} />
      </span>
    </span>
  );
}

function nameOf({ leg, event, no, what }: Moment): string {
  const who = leg === "ticketing" ? "Ticketing" : event === null ? "Callback" : `Callback ${event}`;
  return `${who}, ${what === "late_result" ? "late, " : ""}attempt ${no}`;
}
