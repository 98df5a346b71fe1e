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
