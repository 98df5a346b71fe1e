import { type Command, CommanderError } from "commander";
import { loadProgram } from "../../src/commands/program.ts";

/** What is the matter with a command line, in a few words; null: it is right. */
export type CheckCommandLine = (words: readonly string[]) => Promise<string | null>;

export interface CheckOptions {
  /** As in a sentence: what a command needs may be missing. */
  readonly isMention: boolean;
}

/** Stands for what the reader puts there. */
const PLACEHOLDER = /<[^>]+>|…|\.\.\.|\$/;
const OPEN = new Set(["commander.invalidArgument", "commander.unknownCommand"]);
const INCOMPLETE = new Set([
  "commander.help",
  "commander.missingArgument",
  "commander.missingMandatoryOptionValue",
  "commander.optionMissingArgument",
]);

/** Reads command lines as `wavegate` would, and runs none of them. */
export async function openProgram({ isMention }: CheckOptions): Promise<CheckCommandLine> {
  const program = await loadProgram();
  disarm(program);
  return async (words) => {
    try {
      await program.parseAsync([...words], { from: "user" });
      return null;
    } catch (error) {
      if (!(error instanceof CommanderError)) throw error;
      const { code, message } = error;
      if (code === "commander.helpDisplayed" || code === "commander.version") return null;
      if (isMention && INCOMPLETE.has(code)) return null;
      const isOpen = words.some((word) => PLACEHOLDER.test(word));
      return isOpen && OPEN.has(code) ? null : message;
    }
  };
}

function disarm(command: Command): void {
  command.exitOverride().configureOutput({ writeOut() {}, writeErr() {} });
  for (const inner of command.commands) disarm(inner);
  if (command.commands.length === 0) command.action(() => {});
}
