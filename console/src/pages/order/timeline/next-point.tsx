import type { NextAttempt, OrderStory } from "../../../api/types.ts";
import { span } from "../../../format/time.ts";
import { useHeld } from "../../../live/use-live.ts";
import { useNow } from "../../../preferences/use-now.ts";
import { useSession } from "../../../session/session.ts";
import { STATUS, type Tone } from "../../../ui/status.tsx";
import { Time } from "../../../ui/time.tsx";
import { remaining } from "../countdown.tsx";

/** What the gateway does next by itself, second by second. */
export function NextContent({ attempt }: { readonly attempt: NextAttempt }) {
  const { attempts_per_run: perRun } = useSession();
  const { no, run_no: runNo, at, held_until: heldUntil } = attempt;
  const name =
    no === runNo ? `Attempt ${no} of ${perRun}` : `Attempt ${no}, ${runNo} of ${perRun} in this run,`;
  return (
    <div className="flex flex-wrap items-center gap-x-2.5 py-1.5">
      <span className="num font-medium text-ink-2">
        {name} <Due attempt={attempt} />
      </span>
      {at !== null && heldUntil === null && (
        <span className="num ms-auto text-xs text-ink-3">
          <Time at={at} />
        </span>
      )}
    </div>
  );
}

function Due({ attempt: { at, in_flight, held_until } }: { readonly attempt: NextAttempt }) {
  const now = useNow();
  const isHeld = useHeld();
  const ms = at === null ? 0 : Date.parse(at) - now;
  if (in_flight) return ms < -1000 ? `under way for ${span(-ms / 1000)}` : "under way";
  if (isHeld) return "waits until the gateway is released";
  if (held_until !== null) {
    return (
      <>
        is held back until its target works again; given up if not by <Time at={held_until} />
      </>
    );
  }
  return ms > 0 ? `due in ${remaining(ms)}` : "due now";
}

/** An order that stands still waits for a person. */
export function StandsStill({ story }: { readonly story: OrderStory }) {
  return (
    <p className="py-1.5 font-medium text-ink-2">
      Waits for an operator: nothing more happens by itself
      <span className="sr-only"> ({STATUS[story.order.status].word})</span>
    </p>
  );
}

export function standsStillTone({ order }: OrderStory): Tone | null {
  const { tone } = STATUS[order.status];
  return tone === "stop" || tone === "doubt" ? tone : null;
}
