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

/** Quoted unless harmless: a terminal acts upon control characters. */
function plain(value: unknown): string {
  return typeof value === "string" && /^[\w.:/@+-]+$/.test(value) ? value : JSON.stringify(value);
}

function indented(stack: string): string {
  // oxlint-disable-next-line no-control-regex
  return stack.replace(/[\x00-\x09\x0b-\x1f\x7f-\x9f]/g, "?").replace(/^/gm, "    ");
}
