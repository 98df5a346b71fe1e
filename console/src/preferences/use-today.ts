import { useSyncExternalStore } from "react";
import { dayIn } from "../format/time.ts";
import { useSession } from "../session/session.ts";
import { seconds } from "./use-now.ts";

let told = { minute: Number.NaN, zone: "", day: "" };

/** A calendar costs more than a clock, and many rows ask for the same day. */
function today(zone: string): string {
  const minute = Math.floor(seconds.get() / 60_000);
  if (told.minute !== minute || told.zone !== zone) told = { minute, zone, day: dayIn(seconds.get(), zone) };
  return told.day;
}

/** `2026-08-25`, by the venue's calendar. Who asks is drawn anew only when it is another day. */
export function useToday(): string {
  const { time_zone: venue } = useSession();
  return useSyncExternalStore(seconds.onChange, () => today(venue));
}
