/** A text (also one that was cut off), a sign of JSON's grammar, or a run of anything else. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"?|[{}[\],:]|[^\s{}[\],:"]+/gs;

/**
 * JSON with line ends and indents, its tokens as they were written: no number loses a digit, no name that stands twice is
 * dropped, and what was cut off stays readable. Null: it doesn't begin as an object or a list.
 */
export function prettyJson(text: string): string | null {
  if (!/^\s*[[{]/.test(text)) return null;
  const parts: string[] = [];
  let depth = 0;
  let before = "";
  const line = (): string => `\n${"  ".repeat(Math.min(depth, 40))}`;
  for (const [token] of text.matchAll(TOKEN)) {
    const isOpening = before === "{" || before === "[";
    if (token === "}" || token === "]") {
      depth = Math.max(0, depth - 1);
      if (!isOpening) parts.push(line());
    } else if (isOpening || before === ",") parts.push(line());
    parts.push(token === ":" ? ": " : token);
    if (token === "{" || token === "[") depth += 1;
    before = token;
  }
  return parts.join("");
}

// oxlint-disable-next-line eslint/no-control-regex -- they are what is looked for
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** The text with what can't be seen, or turns the direction of what follows, written out. For the eye: it is copied as it is. */
export function visible(text: string): string {
  return text.replace(UNSEEN, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
