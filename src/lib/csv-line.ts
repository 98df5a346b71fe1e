/** Text is guarded; a number, also one that is written already, is not. */
export type CsvCell = string | number | null | { readonly number: string };

/**
 * Where a spreadsheet may see a cell begin: at its start, or, when it takes another character for the delimiter or
 * passes a quote by, inside it.
 */
const BEGINS = `(?<=^|[,;|\\t\\r\\n"])`;
/** With these, also in their full width, it takes a text for a formula or a command (OWASP, "CSV Injection"). */
const FORMULA = `[ '"]*[=+\\-@\\t\\r\\n\\uff1d\\uff0b\\uff0d\\uff20]`;
const GUARDED = new RegExp(`${BEGINS}'(?=${FORMULA})`, "g");
const UNGUARDED = new RegExp(`${BEGINS}(?=${FORMULA})`, "g");

/** Sets a `'` where a formula would begin, so that a spreadsheet shows the text instead of running it. */
export function guardFormula(text: string): string {
  return text.replace(UNGUARDED, "'");
}

/** The text that was guarded: the exact inverse of {@link guardFormula}. */
export function unguardFormula(text: string): string {
  return text.replace(GUARDED, "");
}

/** A record of RFC 4180, with its CRLF. */
export function csvLine(cells: readonly CsvCell[]): string {
  return `${cells.map(asCell).join(",")}\r\n`;
}

function asCell(cell: CsvCell): string {
  if (cell === null) return "";
  if (typeof cell === "number") return String(cell);
  if (typeof cell === "object") return cell.number;
  const text = guardFormula(cell);
  const isPlain = text === cell && !/[",;|\t\r\n]|^\s|\s$/.test(text);
  return isPlain ? text : `"${text.replaceAll('"', '""')}"`;
}
