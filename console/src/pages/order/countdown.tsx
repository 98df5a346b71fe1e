import type { NextAttempt } from "../../api/types.ts";
import { span } from "../../format/time.ts";
import { useNow } from "../../preferences/use-now.ts";

/** How long until the gateway tries by itself, second by second. */
export function Countdown({ attempt: { at, in_flight, held_until } }: { readonly attempt: NextAttempt }) {
  const now = useNow();
  const ms = at === null ? 0 : Date.parse(at) - now;
  if (in_flight || held_until !== null || ms <= 0) return null;
  return <strong className="num font-semibold whitespace-nowrap text-ink">In {remaining(ms)}.</strong>;
}

/** `12 s`, `9 min 3 s`, `2 h 5 min`: by the second where somebody may wait for it. */
export function remaining(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 60 || seconds >= 3600) return span(seconds);
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
