import { type Leg, LEGS } from "../../../src/orders/states.ts";

export const ERROR_SPANS = ["1h", "24h", "7d"] as const;
export type ErrorSpan = (typeof ERROR_SPANS)[number];

/** Which errors are listed. */
export interface ErrorsSearch {
  /**
   * From when on attempts count: a span, which ends now whenever the link is opened, or a time that stays. Without it, and where it
   * is neither, a day.
   */
  readonly since?: string;
  readonly leg?: Leg;
  readonly partner?: string;
}

export function readErrorsSearch(raw: Record<string, unknown>): ErrorsSearch {
  const one = (name: string): string => {
    const value = [raw[name]].flat()[0];
    return typeof value === "string" ? value.trim() : "";
  };
  const since = one("since");
  const isTime = /^20\d\d-\d\d-\d\d/.test(since) && !Number.isNaN(Date.parse(since));
  const leg = LEGS.find((each) => each === one("leg"));
  return {
    ...((isTime || ERROR_SPANS.some((span) => span === since)) && { since }),
    ...(leg && { leg }),
    ...(one("partner") !== "" && { partner: one("partner") }),
  };
}

const SPAN_MS: Record<ErrorSpan, number> = { "1h": 3_600_000, "24h": 86_400_000, "7d": 604_800_000 };

/** When the errors of a link begin, in epoch milliseconds. */
export function startOfErrors(since: string, nowMs: number): number {
  const span = ERROR_SPANS.find((each) => each === since);
  return span ? nowMs - SPAN_MS[span] : Date.parse(since);
}
