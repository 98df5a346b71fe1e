import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { Failure } from "../../chaos/program.ts";

const ROOT = join(import.meta.dirname, "../..");
const execute = promisify(execFile);

/** A tree that gateways can be started from. */
export interface Release {
  /** As `git describe` would name it for people. */
  readonly name: string;
  readonly main: string;
}

/** The working tree, with whatever has not been committed. */
export const WORKING_TREE: Release = { name: "the working tree", main: join(ROOT, "src/main.ts") };

/**
 * Lays a revision's tree into a folder, with its packages: those that are installed here where they are of the versions that
 * it names, else its own, from the registry.
 * @throws {@link Failure}
 */
export async function releaseOf(revision: string, folder: string): Promise<Release> {
  const git = async (...args: string[]) => (await execute("git", args, { cwd: ROOT })).stdout.trim();
  const commit = await git("rev-parse", "--verify", "--quiet", `${revision}^{commit}`).catch(() => {
    throw new Failure(`git knows no revision ${revision}`);
  });
  mkdirSync(folder, { recursive: true });
  const archive = `${folder}.tar`;
  await git("archive", "--output", archive, commit);
  await execute("tar", ["-xf", archive, "-C", folder]);
  if (hasItsPackages(folder)) symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  else await execute("npm", ["ci", "--omit=dev", "--ignore-scripts", "--no-audit"], { cwd: folder });
  return { name: await git("log", "-1", "--format=%h (%s)", commit), main: join(folder, "src/main.ts") };
}

interface Lock {
  readonly packages: Readonly<Record<string, { readonly version?: string; readonly dev?: boolean }>>;
}

/** Whether all that the folder's lock file names for production is installed here. */
function hasItsPackages(folder: string): boolean {
  const installed = join(ROOT, "node_modules/.package-lock.json");
  if (!existsSync(installed)) return false;
  const [wanted, here] = [join(folder, "package-lock.json"), installed].map(
    (path) => (JSON.parse(readFileSync(path, "utf8")) as Lock).packages,
  );
  return Object.entries(wanted!)
    .filter(([path, { dev = false }]) => path !== "" && !dev)
    .every(([path, { version }]) => here![path]?.version === version);
}

/** Brings a database to a release's schema by its own command. @returns the migrations that ran */
export async function migrateBy(
  { main }: Release,
  env: Readonly<Record<string, string>>,
  cwd: string,
): Promise<readonly string[]> {
  const { stdout } = await execute(process.execPath, [main, "migrate", "--json"], {
    cwd,
    env: { PATH: process.env["PATH"] ?? "", ...env },
  });
  return (JSON.parse(stdout) as { applied: readonly string[] }).applied;
}
