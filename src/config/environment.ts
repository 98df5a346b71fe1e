import { isUtf8 } from "node:buffer";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { getSystemErrorMessage, parseEnv } from "node:util";

const MAX_FILE_BYTES = 4 * 1024 * 1024;

export interface EnvironmentInput {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where `.env` is looked for, and where relative NAME_FILE paths start. */
  readonly directory: string;
  /** What the command line says; goes before everything else. */
  readonly overrides?: Readonly<Record<string, string>>;
}

/**
 * A look-up over the command line, the real environment, and `.env`, in this order; for secrets also over the
 * file that NAME_FILE names, less one trailing newline. A variable that is set to nothing is unset, and hides
 * one in `.env`.
 */
export function readEnvironment(input: EnvironmentInput, problem: (text: string) => void) {
  const all = { ...readDotEnv(input.directory, problem), ...input.env };
  const given = (name: string) => all[name] || undefined;

  return (name: string, isSecret: boolean): string | undefined => {
    const override = input.overrides?.[name];
    const path = isSecret && !override ? given(`${name}_FILE`) : undefined;
    if (path === undefined) return override || given(name);
    if (given(name) !== undefined) problem(`${name} and ${name}_FILE are both set: one of them must go`);
    try {
      const text = readText(resolve(input.directory, path)).replace(/\r?\n$/, "");
      if (text === "") throw new Error("it is empty");
      return text;
    } catch (error) {
      problem(`${name}_FILE can't be used: ${reasonOf(error)}`);
      return undefined;
    }
  };
}

function readDotEnv(directory: string, problem: (text: string) => void): NodeJS.Dict<string> {
  try {
    return parseEnv(readText(join(directory, ".env")));
  } catch (error) {
    const isThere = (error as NodeJS.ErrnoException).code !== "ENOENT";
    if (isThere) problem(`.env can't be used: ${reasonOf(error)}`);
    return {};
  }
}

/** @throws a file system error, or one that says what else is wrong. */
function readText(path: string): string {
  const bytes = readFileSync(path);
  if (bytes.length > MAX_FILE_BYTES) throw new Error(`it is larger than ${MAX_FILE_BYTES} bytes`);
  if (!isUtf8(bytes)) throw new Error("it is not UTF-8 text");
  return bytes.toString("utf8");
}

function reasonOf(error: unknown): string {
  const { errno, code, message } = error as NodeJS.ErrnoException;
  if (errno !== undefined) return getSystemErrorMessage(errno);
  // Node's own words quote the path, which may be the secret itself, given by mistake.
  return code === undefined ? message : `it can't be read (${code})`;
}
