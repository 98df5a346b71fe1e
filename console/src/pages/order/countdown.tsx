import type { NextAttempt } from "../../api/types.ts";
import { span } from "../../format/time.ts";
import { useNow } from "../../preferences/use-now.ts";

/** How long until the gateway tries by itself, second by second. */
export function Countdown({ attempt: { at, in_flight, held_until } }: { readonly attempt: NextAttempt }) {
  const now = useNow();
  const ms = at === null ? 0 : Date.parse(at) - now;
  if (in_flight || held_until !== null || ms <= 0) return null;
  return (
    <strong className="num font-semibold whitespace-nowrap text-ink">In {span(Math.ceil(ms / 1000))}.</strong>
  );
}
