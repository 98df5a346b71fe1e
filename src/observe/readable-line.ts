import { styleText } from "node:util";

const COLORS: Readonly<Record<string, "gray" | "cyan" | "yellow" | "red">> = {
  debug: "gray",
  info: "cyan",
  warn: "yellow",
  error: "red",
  fatal: "red",
};

/** A JSON log line for human eyes: `12:34:56.789 info  order.accepted trace_id=... id=7`. */
export function readable(line: string): string {
  const {
    level,
    time,
    pid: _pid,
    msg: _msg,
    event,
    err,
    ...fields
  } = JSON.parse(line) as Record<string, unknown>;
  const pairs = Object.entries(fields).map(
    ([name, value]) => `${styleText("gray", `${name}=`)}${plain(value)}`,
  );
  const label = styleText(COLORS[String(level)] ?? "gray", String(level).padEnd(5));
  const stack =
    typeof err === "object" && err !== null && "stack" in err ? `\n${indented(String(err.stack))}` : "";
  return `${[String(time).slice(11, 23), label, plain(event), ...pairs].join(" ")}${stack}\n`;
}

// Control and direction characters that JSON may hold as they are.
const UNSEEN = /[\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g;

/** Quoted unless harmless: a terminal acts upon control characters. */
function plain(value: unknown): string {
  if (typeof value === "string" && /^[\w.:/@+-]+$/.test(value)) return value;
  const escaped = (unit: string): string => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return JSON.stringify(value)?.replace(UNSEEN, escaped);
}

function indented(stack: string): string {
  // oxlint-disable-next-line no-control-regex
  return stack.replace(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/g, "?").replace(/^/gm, "    ");
}
