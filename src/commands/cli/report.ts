import { CommanderError } from "commander";
import { EXIT_CODES, Failure, type FailureKind, reasonOf } from "./failure.ts";
import { invocation } from "./invocation.ts";
import { paintError, plain, toJson } from "./output.ts";

interface Report {
  readonly kind: FailureKind;
  readonly message: string;
  readonly problems: readonly string[];
  readonly advice: string | null;
}

/**
 * Says on stderr what went wrong, as text or as `{"error": {code, message, problems, advice}}`, never with a stack
 * unless `LOG_LEVEL` asks for it.
 * @param options.command the names of the command that was asked for: `order show`
 * @returns the exit code
 */
export function reportError(error: unknown, { json, command }: { json: boolean; command: string }): number {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return EXIT_CODES.ok;
    // The help that has been shown says it all.
    if (error.code === "commander.help") return EXIT_CODES.usage;
  }
  const { kind, ...said } = describe(error, command);
  const text = json ? toJson({ error: { code: kind, ...said } }) : asText(said);
  process.stderr.write(`${text}\n`);
  const wantsStack = ["debug", "trace"].includes(process.env["LOG_LEVEL"] ?? "");
  if (wantsStack && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  return EXIT_CODES[kind];
}

function asText({ message, problems, advice }: Omit<Report, "kind">): string {
  const lines = problems.map((problem) => `  ${plain(problem)}`);
  const colon = lines.length > 0 ? ":" : "";
  const next = advice === null ? [] : [plain(advice)];
  return [`${paintError("red", "error:")} ${plain(message)}${colon}`, ...lines, ...next].join("\n");
}

const OUTSIDE = new Set(["DatabaseUnavailable", "CommitUnknown", "ConnectionLost", "AggregateError"]);

function describe(error: unknown, command: string): Report {
  if (error instanceof Failure) {
    const { kind, message, problems, advice } = error;
    return { kind, message, problems, advice };
  }
  if (error instanceof CommanderError) {
    const message = error.message.replace(/^error: /, "").replace("\n", " ");
    const help = [invocation(), ...(command === "" ? [] : [command]), "--help"].join(" ");
    return { kind: "usage", message, problems: [], advice: `see \`${help}\`` };
  }
  // ConfigError and StartError, told by their shape: a command that fails early need not load them.
  if (error instanceof Error && "problems" in error && Array.isArray(error.problems)) {
    return {
      kind: "usage",
      message: error.name === "ConfigError" ? "the configuration can't be used" : "the gateway can't start",
      problems: error.problems.map(String),
      advice: `\`${invocation()} doctor\` checks the whole configuration`,
    };
  }
  const advice = "LOG_LEVEL=debug shows where this comes from";
  // What a database or a socket says is in the cause; elsewhere the message has been written to say it all.
  const isOutside = error instanceof Error && OUTSIDE.has(error.name);
  const message = isOutside || !(error instanceof Error) ? reasonOf(error) : error.message;
  return { kind: "failed", message, problems: [], advice };
}
