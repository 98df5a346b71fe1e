import { stripVTControlCharacters } from "node:util";
import { brief, type Cell, paint, table, width } from "./output.ts";

/** What a table may do without where its terminal is narrow. */
export interface Room {
  /** The column whose texts are cut first, though not to nothing. */
  readonly cut?: string;
  /** Columns that are then left out, the first one first. */
  readonly drop: readonly string[];
  /** Of the terminal; undefined: there is none, and nothing is left out. */
  readonly columns?: number | undefined;
}

const MIN_CUT_CHARS = 24;

/** A {@link table} that fits its terminal, and says what it leaves out. */
export function fittedTable(
  head: readonly string[],
  rows: readonly (readonly Cell[])[],
  { cut, drop, columns = process.stdout.columns }: Room,
): string {
  const over = (text: string): number => widest(text) - (columns ?? Infinity);
  const left: string[] = [];
  let [titles, cells] = [head, rows];
  let text = table(titles, cells);
  const at = cut === undefined ? -1 : head.indexOf(cut);
  if (over(text) > 0 && at >= 0) {
    const longest = Math.max(...rows.map((row) => textOf(row[at]).length));
    const chars = Math.max(MIN_CUT_CHARS, longest - over(text));
    cells = rows.map((row) => row.with(at, brief(textOf(row[at]), chars)));
    text = table(titles, cells);
  }
  for (const name of drop) {
    if (over(text) <= 0) break;
    const column = titles.indexOf(name);
    titles = titles.toSpliced(column, 1);
    cells = cells.map((row) => row.toSpliced(column, 1));
    text = table(titles, cells);
    left.push(name);
  }
  if (left.length === 0) return text;
  return `${text}\n${paint("dim", `(no room for ${left.join(", ")}: --json has everything)`)}`;
}

function widest(text: string): number {
  return Math.max(...stripVTControlCharacters(text).split("\n").map(width));
}

function textOf(cell: Cell | undefined): string {
  return typeof cell === "object" ? cell.text : (cell ?? "");
}
