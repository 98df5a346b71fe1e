import type { Command } from "commander";
import { invocation } from "./invocation.ts";

const EXIT_CODES_HELP = `Exit codes:
  0  done
  1  it failed, or a check found something
  2  wrong usage or configuration
  3  what was asked for does not exist
  4  what was compared differs`;

/** Ends a command's help with examples, each `[arguments, what it does]`, and the exit codes. */
export function withExamples(
  command: Command,
  examples: readonly (readonly [args: string, what: string])[],
  more = "",
): Command {
  const lines = examples.map(([args, what]) => `  ${what}:\n    ${invocation()} ${args}`);
  const parts = ["", `Examples:\n${lines.join("\n")}`, ...(more === "" ? [] : [more]), EXIT_CODES_HELP];
  return command.addHelpText("after", parts.join("\n\n").slice(1));
}

export const JSON_OPTION = ["--json", "machine-readable output; errors too, on stderr"] as const;
