import type { ComponentType } from "react";
import { useLive, useLiveState } from "../live/use-live.ts";
import type { LiveState } from "../live/live.ts";
import { span } from "../format/time.ts";
import { useNow } from "../preferences/use-now.ts";
import { useKeys } from "../ui/keys.ts";
import { LiveIcon, PauseIcon, PlayIcon, WarningIcon, WorkIcon } from "../ui/icons.tsx";

type IconOf = ComponentType<{ readonly className?: string }>;
type Kind = LiveState["kind"];

/** Told by shape as well as by colour: on a narrow screen the words are only in the button's name. */
const LOOKS: Record<Kind, readonly [Icon: IconOf, colour: string]> = {
  live: [LiveIcon, "text-good"],
  paused: [PauseIcon, "text-wait"],
  connecting: [WorkIcon, "text-ink-3"],
  trouble: [WarningIcon, "text-stop"],
};

/** How old what is shown may be, honestly: from when the gateway last said something. Pauses and goes on. */
export function LiveIndicator() {
  const live = useLive();
  const state = useLiveState();
  const now = useNow();
  const isPaused = state.kind === "paused";
  const toggle = (): void => (isPaused ? live.resume() : live.pause());
  useKeys({ p: toggle });
  const [Icon, colour] = LOOKS[state.kind];
  const Act = isPaused ? PlayIcon : PauseIcon;
  const words = wordsOf(state, now);
  const act = isPaused ? "Go on with live updates" : "Pause live updates";
  return (
    <button
      type="button"
      onClick={toggle}
      title={`${state.kind === "trouble" ? state.detail : words}\n${act} (p)`}
      aria-label={`${words}. ${act}`}
      className="flex min-h-8 min-w-8 items-center justify-center gap-1.5 rounded-md px-1.5 text-xs text-ink-2 hover:bg-hover lg:justify-start lg:px-2"
    >
      <Icon className={`size-4 ${colour}`} />
      <span className="num hidden min-w-32 text-start whitespace-nowrap lg:inline">{words}</span>
      <Act className="hidden size-3.5 text-ink-3 lg:block" />
    </button>
  );
}

function wordsOf(state: LiveState, now: number): string {
  const age = state.lastAt === null ? null : Math.max(0, (now - state.lastAt) / 1000);
  const updated = age === null ? "" : age < 2 ? "updated just now" : `updated ${span(age)} ago`;
  const after = updated === "" ? "" : `, ${updated}`;
  if (state.kind === "live") return updated.charAt(0).toUpperCase() + updated.slice(1);
  if (state.kind === "paused") return `Paused${after}`;
  if (state.kind === "connecting") return `Connecting${after}`;
  return `${state.of === "gateway" ? "Offline" : "Database away"}${after}`;
}
