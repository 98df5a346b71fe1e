import { stripVTControlCharacters, styleText } from "node:util";

export type Style = Parameters<typeof styleText>[0];

/** Text, with a colour if it has one. */
export type Cell = string | { readonly text: string; readonly style: Style };

export function print(line = ""): void {
  process.stdout.write(`${line}\n`);
}

/** From here on the command goes on though nobody reads its stdout any more, because it has more to do than to print. */
export function outliveReader(): void {
  process.stdout.removeAllListeners("error").on("error", () => {});
}

/** Coloured only where stdout is a terminal that wants it (NO_COLOR, FORCE_COLOR). */
export function paint(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout });
}

export function paintError(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stderr });
}

/**
 * One line of text that came from outside, without anything that a terminal acts upon: escape sequences, control
 * characters, and those that turn the direction of writing.
 */
export function plain(text: string): string {
  return stripVTControlCharacters(text)
    .replace(/\s+/g, " ")
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "")
    .toWellFormed();
}

/** The same, cut to a length. */
export function brief(text: string, maxChars: number): string {
  const line = plain(text.slice(0, maxChars * 4)).trim();
  return line.length > maxChars || text.length > maxChars * 4 ? `${line.slice(0, maxChars - 1)}…` : line;
}

export function printJson(value: unknown): void {
  print(toJson(value));
}

const UNSEEN = /[\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

/** JSON that a terminal can take: control and direction characters that JSON may hold as they are stand escaped. */
export function toJson(value: unknown, indent = 2): string {
  return JSON.stringify(value, null, indent).replace(
    UNSEEN,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Columns as wide as they must be, numbers to the right. Whatever the cells hold is made {@link plain}. */
export function table(head: readonly string[], rows: readonly (readonly Cell[])[], indent = ""): string {
  const cells = rows.map((row) => row.map((cell) => ({ text: plain(textOf(cell)), style: styleOf(cell) })));
  const widths = head.map((title, column) =>
    Math.max(width(title), ...cells.map((row) => width(row[column]?.text ?? ""))),
  );
  const rightward = head.map(
    (_, column) => cells.length > 0 && cells.every((row) => /^-?\d*$/.test(row[column]?.text ?? "")),
  );
  const line = (row: readonly { text: string; style: Style | null }[]) => {
    const padded = row.map(({ text, style }, column) => {
      const blanks = " ".repeat(widths[column]! - width(text));
      const shown = style === null ? text : paint(style, text);
      return rightward[column] ? blanks + shown : shown + (column === row.length - 1 ? "" : blanks);
    });
    return `${indent}${padded.join("  ")}`.trimEnd();
  };
  const titles = head.map((text) => ({ text, style: "dim" as const }));
  return [...(head.some((title) => title !== "") ? [line(titles)] : []), ...cells.map(line)].join("\n");
}

const textOf = (cell: Cell): string => (typeof cell === "string" ? cell : cell.text);
const styleOf = (cell: Cell): Style | null => (typeof cell === "string" ? null : cell.style);

const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;

/** Terminal columns, near enough: none for combining marks (Thai has many), two for East Asian wide characters. */
export function width(text: string): number {
  let columns = 0;
  for (const character of text.normalize())
    columns += /\p{Mn}/u.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
  return columns;
}
