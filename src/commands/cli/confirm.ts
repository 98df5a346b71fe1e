import { createInterface } from "node:readline/promises";
import { Failure } from "./failure.ts";

/**
 * Asks on the terminal.
 * @param otherwise what to do where nobody can be asked, after a colon: the command ends with it
 * @throws {@link Failure} where there is no terminal, or stdout is for a machine
 */
export async function isConfirmed(question: string, json: boolean, otherwise: string): Promise<boolean> {
  if (json || !process.stdin.isTTY || !process.stdout.isTTY) throw new Failure("usage", otherwise);
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}
