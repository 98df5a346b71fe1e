import { gatewayTime } from "../../api/gateway-clock.ts";
import { hourIn } from "../../format/time.ts";
import { useChoice } from "../../preferences/stored.ts";
import { timeMode } from "../../preferences/time-mode.ts";
import { useSession } from "../../session/session.ts";
import type { Tone } from "../../ui/status.tsx";
import type { HourKind } from "../../search/order-lists.ts";

export interface Series {
  readonly kind: HourKind;
  readonly title: string;
  /** After a count: `1,204 accepted`. */
  readonly word: string;
  readonly tone: Tone;
}

export const SERIES: readonly Series[] = [
  { kind: "accepted", title: "Accepted", word: "accepted", tone: "work" },
  { kind: "ticketed", title: "Ticketed", word: "ticketed", tone: "work" },
  { kind: "delivered", title: "Delivered", word: "delivered", tone: "good" },
  {
    kind: "blocked",
    title: "Stopped, and need attention",
    word: "stopped, and need attention",
    tone: "stop",
  },
];

/** How an hour is called, by the reader's choice: `14:00`; those of other days with their weekday. */
export function useHourName(): (from: string) => string {
  const mode = useChoice(timeMode);
  const { time_zone: venue } = useSession();
  const zone = mode === "utc" ? "UTC" : venue;
  return (from) => hourIn(Date.parse(from), zone, gatewayTime());
}
