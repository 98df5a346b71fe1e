import { clockIn, dayIn, exactIn } from "../../format/time.ts";
import { useChoice } from "../../preferences/stored.ts";
import { timeMode } from "../../preferences/time-mode.ts";
import { useNow } from "../../preferences/use-now.ts";
import { useSession } from "../../session/session.ts";

/** As the gateway writes them into a verdict; the day is left out where it is today's. */
const TIMES = /((?:\d{4}-\d{2}-\d{2} )?\d{2}:\d{2}:\d{2} UTC)/;

/** A sentence of the gateway's, its times as all others on the page: a reader must not have to subtract hours. */
export function VerdictText({ text }: { readonly text: string }) {
  const { time_zone: venue } = useSession();
  const zone = useChoice(timeMode) === "utc" ? "UTC" : venue;
  const nowMs = useNow();
  return text.split(TIMES).map((part, index) => {
    const ms = index % 2 === 1 ? epochOf(part, nowMs) : Number.NaN;
    if (Number.isNaN(ms)) return part;
    return (
      // oxlint-disable-next-line react/no-array-index-key -- its place is what it is
      <time key={index} dateTime={new Date(ms).toISOString()} title={exactIn(ms, "UTC")} className="num">
        {clockIn(ms, zone, nowMs)}
      </time>
    );
  });
}

function epochOf(time: string, nowMs: number): number {
  const [clock = "", day = dayIn(nowMs, "UTC")] = time.replace(/ UTC$/, "").split(" ").toReversed();
  return Date.parse(`${day}T${clock}Z`);
}
