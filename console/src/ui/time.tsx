import { clockIn, exactIn, fromNow } from "../format/time.ts";
import { useChoice } from "../preferences/stored.ts";
import { timeMode } from "../preferences/time-mode.ts";
import { useNow } from "../preferences/use-now.ts";
import { useSession } from "../session/session.ts";

interface Props {
  /** RFC 3339. */
  readonly at: string;
  /** With milliseconds, where steps follow each other quickly. */
  readonly precise?: boolean;
}

/** A time as the reader wants times: at the venue, in UTC, or from now. On hovering, all of them. */
export function Time({ at, precise = false }: Props) {
  const mode = useChoice(timeMode);
  const now = useNow();
  const { time_zone: venue } = useSession();
  const ms = Date.parse(at);
  const zone = mode === "utc" ? "UTC" : venue;
  return (
    <time
      dateTime={at}
      // That time goes by is no news, wherever it stands.
      aria-live="off"
      title={`${exactIn(ms, venue)}\n${exactIn(ms, "UTC")}\n${fromNow(ms, now)}`}
      className="num whitespace-nowrap"
    >
      {mode === "relative" ? fromNow(ms, now) : clockIn(ms, zone, now, precise)}
    </time>
  );
}

/** How long ago or how far ahead, whatever the reader's choice. */
export function FromNow({ at }: Pick<Props, "at">) {
  const now = useNow();
  const { time_zone: venue } = useSession();
  const ms = Date.parse(at);
  return (
    <time
      dateTime={at}
      // That time goes by is no news, wherever it stands.
      aria-live="off"
      title={`${exactIn(ms, venue)}\n${exactIn(ms, "UTC")}`}
      className="num whitespace-nowrap"
    >
      {fromNow(ms, now)}
    </time>
  );
}
