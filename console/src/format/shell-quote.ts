// Control and direction characters: pasted into a terminal they would act on it, or show something else than what is run.
// oxlint-disable-next-line eslint/no-control-regex -- they are what is looked for
const UNSEEN = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/;

/**
 * A text as one word of a shell's command line, whatever stands in it. Between single quotes nothing but a single quote has a
 * meaning (POSIX.1-2024, 2.2.2); with characters that can't be seen it is written as `$'...'` (2.2.4), in octal. No argument of a
 * command can hold U+0000: it is left out.
 */
export function shellQuote(text: string): string {
  const word = text.replaceAll("\u0000", "");
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  if (!UNSEEN.test(word)) return `'${word.replaceAll("'", String.raw`'\''`)}'`;
  return `$'${Array.from(word, escaped).join("")}'`;
}

function escaped(char: string): string {
  if (char === "\n") return String.raw`\n`;
  if (char === "'" || char === "\\") return `\\${char}`;
  if (!UNSEEN.test(char)) return char;
  const bytes = [...new TextEncoder().encode(char)];
  return bytes.map((byte) => `\\${byte.toString(8).padStart(3, "0")}`).join("");
}
