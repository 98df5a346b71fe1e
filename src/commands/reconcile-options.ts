import { type Command, InvalidArgumentError, Option } from "commander";
import { isDate, readTime } from "../lib/iso-time.ts";
import { isTimeZone, startOfDay } from "../lib/zoned-day.ts";
import { ANY_ORDER, type OrderFilter } from "../orders/order-filter.ts";
import type { ReconciliationRules } from "../orders/reconciliation.ts";
import { type Side, SIDES } from "../orders/reconciliation-advice.ts";
import { FIELD_NAMES, KEY_NAMES, type Standing, STANDINGS, wordOf } from "../orders/their-row.ts";
import { Failure } from "./cli/failure.ts";
import type { ColumnMap } from "./reconcile-file.ts";

/** What the options of {@link withReconciliation} give. */
export interface ReconcileOptions {
  readonly file: string;
  readonly map: ColumnMap;
  readonly side: Side;
  readonly partner?: string;
  readonly from?: string;
  readonly to?: string;
  readonly visitFrom?: string;
  readonly visitTo?: string;
  readonly tz: string;
  readonly rows: "orders" | "items";
  readonly decimal: "." | ",";
  readonly dates?: "dmy" | "mdy";
  readonly words?: ReadonlyMap<string, Standing>;
  readonly delimiter?: string;
  readonly encoding?: string;
  readonly json?: boolean;
  readonly output?: string;
}

/** Gives a command the options that say what their file is, and which orders it should have. */
export function withReconciliation(command: Command): Command {
  return command
    .requiredOption("--file <file>", "their file, or - for stdin")
    .requiredOption(
      "--map <field=Column,...>",
      `which column holds what; repeatable. The first that is one of ${KEY_NAMES.join(", ")} is the key; ` +
        `also ${FIELD_NAMES.filter((name) => !KEY_NAMES.some((key) => key === name)).join(", ")}`,
      asMap,
    )
    .addOption(new Option("--side <side>", "whose file it is").choices(SIDES).default(SIDES[0]))
    .option("--partner <id>", "compare this partner's orders alone")
    .option("--from <date>", "their file has the orders accepted from this date (or time) on", asDateOrTime)
    .option("--to <date>", "up to and with this date (or before this time)", asDateOrTime)
    .option("--visit-from <date>", "their file has the visits from this date on", asDate)
    .option("--visit-to <date>", "up to and with this date", asDate)
    .option("--tz <zone>", "the time zone of these dates and of theirs, as Asia/Bangkok", asZone, "UTC")
    .addOption(
      new Option("--rows <what>", "what a row of theirs is: an order, or an item of one, to be added up")
        .choices(["orders", "items"])
        .default("orders"),
    )
    .addOption(
      new Option("--decimal <mark>", "the decimal mark of their amounts").choices([".", ","]).default("."),
    )
    .addOption(new Option("--dates <order>", "how 03/04/2026 is meant").choices(["dmy", "mdy"]))
    .option(
      "--words <theirs=standing,...>",
      `what a status of theirs means: ${STANDINGS.join(", ")}; repeatable`,
      asWords,
    )
    .option(
      "--delimiter <character>",
      "between their columns; without: what their first row has most of",
      asDelimiter,
    )
    .option(
      "--encoding <name>",
      "of their file, as windows-1252; without: UTF-8, or UTF-16 by its mark",
      asEncoding,
    )
    .option("--output <file>", "all differences as CSV into this file");
}

/** @throws {@link Failure} without a key */
export function rulesOf({
  map,
  side,
  rows,
  decimal,
  dates,
  tz,
  words,
}: ReconcileOptions): ReconciliationRules {
  const fields = [...map.keys()];
  const key = KEY_NAMES.find(
    (name) => name === fields.find((field) => KEY_NAMES.some((each) => each === field)),
  );
  if (key === undefined) {
    throw new Failure("usage", `--map names no column that orders can be found by: ${KEY_NAMES.join(", ")}`);
  }
  return {
    side,
    key,
    fields: fields.filter((field) => field !== key),
    rowsAre: rows,
    reading: { decimalMark: decimal, dateOrder: dates ?? null, timeZone: tz, words: words ?? new Map() },
  };
}

/** The orders that their file should have. */
export function filterOf({ partner, from, to, visitFrom, visitTo, tz }: ReconcileOptions): OrderFilter {
  const start = (text: string): number => (isDate(text) ? startOfDay(text, tz) : readTime(text)!);
  return {
    ...ANY_ORDER,
    partnerId: partner ?? null,
    createdFrom: from === undefined ? null : start(from),
    createdBefore: to === undefined ? null : isDate(to) ? startOfDay(dayAfter(to), tz) : start(to),
    visitFrom: visitFrom ?? null,
    visitTo: visitTo ?? null,
  };
}

/** `qty=Pax,amount=Total`: a comma begins another pair only before a name and its sign. */
function asMap(text: string, before: ColumnMap = new Map()): ColumnMap {
  const map = new Map(before);
  for (const pair of text.split(new RegExp(`,(?=(?:${FIELD_NAMES.join("|")})=)`))) {
    const [, name, column] = /^([a-z_]+)=(.+)$/s.exec(pair.trim()) ?? [];
    const field = FIELD_NAMES.find((each) => each === name);
    if (field === undefined || column === undefined) {
      throw new InvalidArgumentError(`Write field=Column, with a field of ${FIELD_NAMES.join(", ")}.`);
    }
    if (map.has(field)) throw new InvalidArgumentError(`${field} is there twice.`);
    map.set(field, column);
  }
  return map;
}

function asWords(
  text: string,
  before: ReadonlyMap<string, Standing> = new Map(),
): ReadonlyMap<string, Standing> {
  const words = new Map(before);
  for (const pair of text.split(",")) {
    const at = pair.lastIndexOf("=");
    const standing = STANDINGS.find((each) => each === pair.slice(at + 1).trim());
    if (at < 1 || standing === undefined) {
      throw new InvalidArgumentError(`Write theirs=standing, with a standing of ${STANDINGS.join(", ")}.`);
    }
    words.set(wordOf(pair.slice(0, at)), standing);
  }
  return words;
}

function asDelimiter(text: string): string {
  const delimiter = text === "\\t" || text.toLowerCase() === "tab" ? "\t" : text;
  if (delimiter.length !== 1 || /["\r\n]/.test(delimiter)) {
    throw new InvalidArgumentError("One character, or tab.");
  }
  return delimiter;
}

function asEncoding(text: string): string {
  try {
    return new TextDecoder(text).encoding;
  } catch {
    throw new InvalidArgumentError("Name one of the Encoding Standard: utf-8, windows-1252, shift_jis.");
  }
}

function asZone(text: string): string {
  if (!isTimeZone(text)) throw new InvalidArgumentError("Name an IANA time zone, as Asia/Bangkok.");
  return text;
}

function asDate(text: string): string {
  if (!isDate(text)) throw new InvalidArgumentError("Write a date as 2026-08-25.");
  return text;
}

function asDateOrTime(text: string): string {
  if (readTime(text) === undefined) throw new InvalidArgumentError("Write a date as 2026-08-25, or a time.");
  return text;
}

function dayAfter(day: string): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + 86_400_000).toISOString().slice(0, 10);
}
