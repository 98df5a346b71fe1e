import { type Decimal, readDecimal } from "../lib/decimal.ts";
import { isDate, readTime } from "../lib/iso-time.ts";
import { dayOf } from "../lib/zoned-day.ts";
import { ORDER_STATUSES, type OrderStatus } from "./states.ts";

/** What a row of a file of theirs can be known by. */
export const KEY_NAMES = ["external_order_id", "reference", "trace_id", "order_id"] as const;
export type KeyName = (typeof KEY_NAMES)[number];

/** What a column of theirs can be said to hold. */
export const FIELD_NAMES = [
  ...KEY_NAMES,
  "partner_id",
  "qty",
  "amount",
  "amount_minor",
  "currency",
  "status",
  "visit_date",
  "ticket_count",
] as const;
export type FieldName = (typeof FIELD_NAMES)[number];

/** A row of theirs: the text of each mapped column. */
export interface TheirRow {
  readonly line: number;
  readonly texts: Readonly<Partial<Record<FieldName, string>>>;
}

/** How a word of theirs, or a status of ours, leaves the sale. */
export const STANDINGS = ["confirmed", "pending", "failed", "cancelled"] as const;
export type Standing = (typeof STANDINGS)[number];

/** How the texts of a file are to be read. */
export interface Reading {
  readonly decimalMark: "." | ",";
  /** How `03/04/2026` is meant; null: not at all. */
  readonly dateOrder: "dmy" | "mdy" | null;
  /** In which a moment with an offset becomes a date. */
  readonly timeZone: string;
  /** Words of theirs beside the {@link readStanding}'s own, as {@link wordOf} gives them. */
  readonly words: ReadonlyMap<string, Standing>;
}

/**
 * A key as it is compared: without the blanks around it, in capitals, out of the `="..."` in which some wrap it to keep
 * Excel from taking it for a number. Empty: the row has none.
 */
export function normalKey(text: string): string {
  return bareKey(text).toUpperCase();
}

/** The same as it was written. */
export function bareKey(text: string): string {
  return (/^="(.*)"$/s.exec(text.trim())?.[1] ?? text).trim();
}

const OURS: Readonly<Record<OrderStatus, Standing | "unknown" | "closed">> = {
  accepted: "pending",
  ticketing_processing: "pending",
  ticketed: "confirmed",
  ticketing_blocked: "failed",
  ticketing_exhausted: "failed",
  ticketing_unknown: "unknown",
  ota_callback_pending: "confirmed",
  ota_callback_delivered: "confirmed",
  ota_callback_blocked: "confirmed",
  ota_callback_exhausted: "confirmed",
  cancelled: "cancelled",
  closed: "closed",
};

/** How a status of ours leaves the sale; `closed` was settled elsewhere, and agrees with anything. */
export function standingOf(status: OrderStatus): Standing | "unknown" | "closed" {
  return OURS[status];
}

const WORDS: Readonly<Record<Standing, string>> = {
  confirmed:
    "confirmed, booked, issued, ticketed, ok, active, complete, completed, paid, redeemed, used, delivered, sold, valid, " +
    "success, successful, succeeded, fulfilled",
  pending: "pending, processing, in progress, on hold, new, open, created, reserved, waiting",
  failed: "failed, failure, error, rejected, declined",
  cancelled: "cancelled, canceled, cancellation, refunded, void, voided",
};

const KNOWN_WORDS = new Map<string, Standing>([
  ...STANDINGS.flatMap((standing) =>
    WORDS[standing].split(", ").map((word): [string, Standing] => [word, standing]),
  ),
  ...ORDER_STATUSES.flatMap((status): [string, Standing][] => {
    const standing = standingOf(status);
    return standing === "unknown" || standing === "closed" ? [] : [[wordOf(status), standing]];
  }),
]);

/** A word of theirs as it is looked up. */
export function wordOf(text: string): string {
  return text
    .trim()
    .toLowerCase()
    .replaceAll(/[\s_-]+/g, " ");
}

/** Null for a word that nobody has explained. */
export function readStanding(text: string, { words }: Reading): Standing | null {
  const word = wordOf(text);
  return words.get(word) ?? KNOWN_WORDS.get(word) ?? null;
}

export function readAmount(text: string, { decimalMark }: Reading): Decimal | null {
  return readDecimal(text, decimalMark);
}

const MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split(" ");

/**
 * A date as `YYYY-MM-DD`, or null where it can't be told: `2026-04-03`, `2026/04/03`, `20260403`, `3.4.2026`, `03-Apr-2026`,
 * `Apr 3, 2026`, each with or without a time behind it; `03/04/2026` where its order was given. A moment with an
 * offset is a date of the time zone; one without is taken by its date.
 */
export function readDate(text: string, { dateOrder, timeZone }: Reading): string | null {
  const trimmed = text.trim();
  const moment = /[Zz]$|[+-]\d\d:\d\d$/.test(trimmed) ? readTime(trimmed.replace(" ", "T")) : undefined;
  if (moment !== undefined) return dayOf(moment, timeZone);
  const bare = trimmed.replace(/[T\s]+\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?(\s*[AaPp][Mm])?$/, "");
  const [year, month, day] = partsOf(bare, dateOrder) ?? [];
  if (year === undefined) return null;
  const date = `${year}-${month!.padStart(2, "0")}-${day!.padStart(2, "0")}`;
  return isDate(date) ? date : null;
}

function partsOf(text: string, order: "dmy" | "mdy" | null): [string, string, string] | null {
  const yearFirst = /^(\d{4})([-/.]?)(\d{1,2})\2(\d{1,2})$/.exec(text);
  if (yearFirst && (yearFirst[2] !== "" || text.length === 8)) {
    return [yearFirst[1]!, yearFirst[3]!, yearFirst[4]!];
  }
  const named =
    /^(?<day>\d{1,2})[-\s.]+(?<month>[A-Za-z]{3})[a-z]*[-\s.,]+(?<year>\d{4})$/.exec(text) ??
    /^(?<month>[A-Za-z]{3})[a-z]*[-\s.]+(?<day>\d{1,2})[-\s,]+(?<year>\d{4})$/.exec(text);
  if (named?.groups) {
    const { year, month, day } = named.groups;
    return [year!, String(MONTHS.indexOf(month!.toLowerCase()) + 1), day!];
  }
  const [, one, mark, other, year] = /^(\d{1,2})([-/.])(\d{1,2})\2(\d{4})$/.exec(text) ?? [];
  if (year === undefined) return null;
  // With points it is the day first wherever it is written so.
  const meant = order ?? (mark === "." ? "dmy" : null);
  if (meant === null) return null;
  return meant === "dmy" ? [year, other!, one!] : [year, one!, other!];
}
