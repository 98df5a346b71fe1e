import { createReadStream } from "node:fs";
import { CsvError, type CsvOptions, readCsv } from "../lib/csv.ts";
import { unguardFormula } from "../lib/csv-line.ts";
import { type ReconciliationRules, theirKey } from "../orders/reconciliation.ts";
import type { FieldName, TheirRow } from "../orders/their-row.ts";
import { Failure, reasonOf } from "./cli/failure.ts";
import { plain } from "./cli/output.ts";

/** Which column of theirs holds what. */
export type ColumnMap = ReadonlyMap<FieldName, string>;

/** The rows of a key, and the orders that were found for it. */
export interface Entry {
  readonly rows: [TheirRow, ...TheirRow[]];
  orderIds: readonly number[];
}

/** Their file: what is mapped of it, by key. */
export interface Theirs {
  readonly rows: number;
  /** Totals, blank lines with delimiters: nothing that an order could be found by. */
  readonly withoutKey: number;
  readonly entries: ReadonlyMap<string, Entry>;
}

const MAX_TEXT_CHARS = 1000;
const MAX_ROWS_OF_KEY = 1000;

/**
 * Reads a file of theirs into memory: some 600 bytes for each row, whatever else stands in it.
 * @throws {@link Failure} for a file that can't be read or lacks a column
 */
export async function readTheirs(
  file: string,
  columns: ColumnMap,
  rules: ReconciliationRules,
  csv: CsvOptions,
): Promise<Theirs> {
  const name = file === "-" ? "stdin" : file;
  try {
    return await read(file === "-" ? process.stdin : createReadStream(file), columns, rules, csv);
  } catch (error) {
    if (error instanceof CsvError) throw new Failure("usage", `${name}, ${error.message}`, { cause: error });
    if (error instanceof Failure || !(error instanceof Error && "syscall" in error)) throw error;
    throw new Failure("usage", `${name} can't be read: ${reasonOf(error)}`, { cause: error });
  }
}

async function read(
  bytes: AsyncIterable<Uint8Array>,
  columns: ColumnMap,
  rules: ReconciliationRules,
  csv: CsvOptions,
): Promise<Theirs> {
  let places: ReadonlyMap<FieldName, number> | null = null;
  let [rows, withoutKey] = [0, 0];
  const entries = new Map<string, Entry>();
  const own = createOwnTexts();
  for await (const { line, cells } of readCsv(bytes, csv)) {
    if (places === null) {
      places = placesOf(columns, cells);
      continue;
    }
    rows += 1;
    const row = { line, texts: textsOf(places, cells, line, own) };
    const key = theirKey(row, rules);
    const entry = entries.get(key);
    if (key === "") withoutKey += 1;
    else if (entry === undefined) entries.set(key, { rows: [row], orderIds: [] });
    else if (entry.rows.length < MAX_ROWS_OF_KEY) entry.rows.push(row);
    else throw new CsvError(line, `more than ${MAX_ROWS_OF_KEY} rows of one key`);
  }
  if (places === null) throw new CsvError(1, "the file is empty");
  return { rows, withoutKey, entries };
}

/** The first row names the columns. @throws {@link Failure} with every column that is missing or there twice */
function placesOf(columns: ColumnMap, head: readonly string[]): Map<FieldName, number> {
  const alike = (text: string): string => text.trim().toLowerCase();
  const names = head.map(alike);
  const problems: string[] = [];
  const places = new Map<FieldName, number>();
  for (const [field, column] of columns) {
    const place = names.indexOf(alike(column));
    if (place < 0) problems.push(`there is no column ${plain(column)} for ${field}`);
    else if (names.includes(alike(column), place + 1))
      problems.push(`the column ${plain(column)} is there twice`);
    places.set(field, place);
  }
  if (problems.length === 0) return places;
  const advice = `the file's first row names: ${head
    .map((each) => plain(each).trim())
    .join(", ")
    .slice(0, MAX_TEXT_CHARS)}`;
  throw new Failure("usage", "--map doesn't fit the file", { problems, advice });
}

function textsOf(
  places: ReadonlyMap<FieldName, number>,
  cells: readonly string[],
  line: number,
  own: (text: string) => string,
): TheirRow["texts"] {
  const texts: Partial<Record<FieldName, string>> = {};
  for (const [field, place] of places) {
    const text = cells[place] ?? "";
    if (text.length > MAX_TEXT_CHARS)
      throw new CsvError(line, `${field} is over ${MAX_TEXT_CHARS} characters`);
    texts[field] = own(unguardFormula(text));
  }
  return texts;
}

/** Of a column of statuses or dates, few texts are not there already. */
const MAX_KNOWN = 10_000;

/** A piece of a text keeps the whole of it in memory: this gives a text of its own, the same one for the same text. */
function createOwnTexts(): (text: string) => string {
  const known = new Map<string, string>();
  return (text) => {
    const before = known.get(text);
    if (before !== undefined) return before;
    const own = Buffer.from(text).toString();
    if (known.size < MAX_KNOWN) known.set(own, own);
    return own;
  };
}
