import { useLive, useLiveState } from "../live/use-live.ts";
import type { LiveState } from "../live/live.ts";
import { span } from "../format/time.ts";
import { useNow } from "../preferences/use-now.ts";
import { useKeys } from "../ui/keys.ts";
import { PauseIcon, PlayIcon } from "../ui/icons.tsx";

const DOTS: Record<LiveState["kind"], string> = {
  live: "bg-good",
  paused: "bg-ink-3",
  connecting: "bg-wait",
  trouble: "bg-stop",
};

/** How old what is shown may be, honestly: from when the gateway last said something. Pauses and goes on. */
export function LiveIndicator() {
  const live = useLive();
  const state = useLiveState();
  const now = useNow();
  const isPaused = state.kind === "paused";
  const toggle = (): void => (isPaused ? live.resume() : live.pause());
  useKeys({ p: toggle });
  return (
    <button
      type="button"
      onClick={toggle}
      title={state.kind === "trouble" ? state.detail : undefined}
      aria-label={`${wordsOf(state, now)}. ${isPaused ? "Go on with" : "Pause"} live updates`}
      className="flex min-h-8 items-center gap-2 rounded-md px-2 text-xs text-ink-2 hover:bg-hover"
    >
      <span className={`size-2 rounded-full ${DOTS[state.kind]}`} />
      <span className="num hidden min-w-28 text-start whitespace-nowrap lg:inline">
        {wordsOf(state, now)}
      </span>
      {isPaused ? <PlayIcon className="size-3.5" /> : <PauseIcon className="size-3.5" />}
    </button>
  );
}

function wordsOf(state: LiveState, now: number): string {
  const age = state.lastAt === null ? null : Math.max(0, (now - state.lastAt) / 1000);
  const updated =
    age === null ? "not updated yet" : age < 2 ? "updated just now" : `updated ${span(age)} ago`;
  if (state.kind === "live") return updated.charAt(0).toUpperCase() + updated.slice(1);
  if (state.kind === "paused") return `Paused, ${updated}`;
  if (state.kind === "connecting") return "Connecting";
  return `Offline, ${updated}`;
}
