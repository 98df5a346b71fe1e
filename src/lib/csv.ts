import { TextDecoder } from "node:util";

/** What keeps a file from filling the memory. */
export const MAX_CSV_RECORD_CHARS = 1024 * 1024;
const MAX_CSV_ROWS = 1_000_000;
const MAX_CELLS = 1_000;

/** A record that is not blank, and the line on which it begins, from 1. */
export interface CsvRow {
  readonly line: number;
  readonly cells: readonly string[];
}

export interface CsvOptions {
  /** One character; null: the one of `, ; TAB |` that the first record has most of. */
  readonly delimiter: string | null;
  /** A label of the Encoding Standard; null: UTF-8, or UTF-16 where the file begins with its mark. */
  readonly encoding: string | null;
}

/** A file that can't be read as CSV. */
export class CsvError extends Error {
  override readonly name = "CsvError";
  readonly line: number;

  constructor(line: number, what: string) {
    super(`line ${line}: ${what}`);
    this.line = line;
  }
}

const DELIMITERS = [",", ";", "\t", "|"];

/**
 * Reads CSV as RFC 4180 has it, and as it is found: a byte order mark, LF or CR as line ends, blank lines, Excel's first line
 * `sep=;`, quotes inside a cell that doesn't begin with one. The memory it takes is one record's.
 * @throws {@link CsvError} for bytes that aren't the encoding's, a quote that isn't closed or goes on after its end, a record
 *   over {@link MAX_CSV_RECORD_CHARS}, or more than {@link MAX_CSV_ROWS} rows
 */
export async function* readCsv(
  bytes: AsyncIterable<Uint8Array>,
  { delimiter, encoding }: CsvOptions,
): AsyncGenerator<CsvRow> {
  let [head, rows]: [string, number] = ["", 0];
  let parser = delimiter === null ? null : createParser(delimiter);
  const parsed = (text: string, isEnd: boolean): CsvRow[] => {
    head += text;
    if (parser === null && !isEnd && !hasWholeRecord(head)) return [];
    parser ??= createParser(sniffDelimiter(head));
    const found = parser.push(head);
    head = "";
    return isEnd ? [...found, ...parser.end()] : found;
  };
  for await (const text of decoded(bytes, encoding, () => parser?.line() ?? 1)) {
    for (const row of parsed(text.text, text.isEnd)) {
      rows += 1;
      if (rows > MAX_CSV_ROWS) throw new CsvError(row.line, `more than ${MAX_CSV_ROWS} rows: split the file`);
      if (!(rows === 1 && isSeparatorLine(row))) yield row;
    }
  }
}

async function* decoded(bytes: AsyncIterable<Uint8Array>, encoding: string | null, line: () => number) {
  let decoder: TextDecoder | null = null;
  let first: Uint8Array = new Uint8Array();
  const decode = (chunk: Uint8Array, stream: boolean): string => {
    decoder ??= new TextDecoder(encoding ?? markOf(chunk), { fatal: true });
    try {
      const text = decoder.decode(chunk, { stream });
      if (!text.includes("\0")) return text;
    } catch {
      throw new CsvError(
        line(),
        `here or below are bytes that aren't ${decoder.encoding}: name the encoding`,
      );
    }
    throw new CsvError(line(), "here or below is a NUL: is it UTF-16? Name the encoding");
  };
  for await (const chunk of bytes) {
    // A mark may come in two pieces.
    first = decoder === null ? Uint8Array.from([...first, ...chunk]) : chunk;
    if (decoder !== null || first.length >= 2) yield { text: decode(first, true), isEnd: false };
  }
  yield { text: decode(decoder === null ? first : new Uint8Array(), false), isEnd: true };
}

function markOf([first, second]: Uint8Array): string {
  if (first === 0xff && second === 0xfe) return "utf-16le";
  return first === 0xfe && second === 0xff ? "utf-16be" : "utf-8";
}

function hasWholeRecord(text: string): boolean {
  if (text.length > MAX_CSV_RECORD_CHARS) return true;
  return /[\r\n]/.test(unquoted(text).trimStart());
}

/** Without what stands between quotes. */
function unquoted(text: string): string {
  return text
    .split('"')
    .filter((_, index) => index % 2 === 0)
    .join("");
}

function sniffDelimiter(text: string): string {
  const [record = ""] = unquoted(text)
    .trimStart()
    .split(/[\r\n]/, 1);
  const named = /^sep=(.)$/i.exec(record)?.[1];
  const counts = DELIMITERS.map((each) => record.split(each).length);
  return named ?? DELIMITERS[counts.indexOf(Math.max(...counts))]!;
}

function isSeparatorLine({ cells }: CsvRow): boolean {
  return cells.length === 2 && /^sep=$/i.test(cells[0]!) && cells[1] === "";
}

/** Where in a cell the parser stands; `closing` is after a quote that ends the cell, unless another follows. */
type State = "start" | "plain" | "quoted" | "closing";

function createParser(delimiter: string) {
  let state: State = "start";
  let [cells, cell]: [string[], string] = [[], ""];
  let [line, recordLine, quoteLine, chars]: [number, number, number, number] = [1, 1, 1, 0];
  let afterReturn = false;

  function endCell(): void {
    if (cells.length >= MAX_CELLS) throw new CsvError(recordLine, `more than ${MAX_CELLS} columns`);
    cells.push(cell);
    cell = "";
  }

  function endRecord(rows: CsvRow[]): void {
    const isBlank = cells.length === 0 && cell === "" && state === "start";
    endCell();
    if (!isBlank) rows.push({ line: recordLine, cells });
    [cells, chars, state] = [[], 0, "start"];
  }

  /** Takes one character; a character that is only text is added by {@link push}, many at a time. */
  function take(character: string, rows: CsvRow[]): void {
    const isBreak = character === "\r" || character === "\n";
    const isSecondHalf = character === "\n" && afterReturn;
    afterReturn = character === "\r";
    if (isBreak && !isSecondHalf) line += 1;
    if (state === "quoted") {
      if (character === '"') state = "closing";
      else cell += character;
      return;
    }
    if (character === '"' && state === "closing") {
      cell += character;
      state = "quoted";
    } else if (character === '"' && state === "start") [state, quoteLine] = ["quoted", line];
    else if (character === delimiter) {
      endCell();
      state = "start";
      // An empty cell at the end makes a record of what would be a blank line.
    } else if (isBreak) {
      if (!isSecondHalf || state !== "start" || cells.length > 0) endRecord(rows);
      recordLine = line;
    } else if (state === "closing") {
      throw new CsvError(line, "text after a closing quote; a quote inside a quoted cell is written twice");
    } else {
      cell += character;
      state = "plain";
    }
  }

  /** What ends a run of mere text. */
  const special = new RegExp(`["\\r\\n${delimiter.replace(/[\\\]^-]/, "\\$&")}]`, "g");

  return {
    line: () => line,
    push(text: string): CsvRow[] {
      const rows: CsvRow[] = [];
      for (let at = 0; at < text.length; at += 1) {
        take(text[at]!, rows);
        chars += 1;
        if (state === "plain" || state === "quoted") {
          special.lastIndex = at + 1;
          const end = special.exec(text)?.index ?? text.length;
          cell += text.slice(at + 1, end);
          if (end > at + 1) afterReturn = false;
          chars += end - at - 1;
          at = end - 1;
        }
        if (chars > MAX_CSV_RECORD_CHARS) {
          throw new CsvError(recordLine, `a record of more than ${MAX_CSV_RECORD_CHARS} characters`);
        }
      }
      return rows;
    },
    end(): CsvRow[] {
      const rows: CsvRow[] = [];
      if (state === "quoted") throw new CsvError(quoteLine, "the quote that begins here is never closed");
      if (state !== "start" || cells.length > 0) endRecord(rows);
      return rows;
    },
  };
}
