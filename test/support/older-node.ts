import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after } from "node:test";

export interface OlderNode {
  readonly node: string;
  readonly args: readonly string[];
  readonly version: string;
}

const SIMULATED = ["18.20.8", "20.20.2", "23.11.1", "24.11.9"];

const directory = mkdtempSync(join(tmpdir(), "wavegate-main-"));
after(() => rmSync(directory, { recursive: true, force: true }));

/** Arguments that make the Node of this run take itself for another version. */
export function pretend(version: string): string[] {
  const preload = join(directory, `${version}.cjs`);
  writeFileSync(
    preload,
    `const versions = { ...process.versions, node: "${version}" };
     Object.defineProperty(process, "versions", { value: versions });
     Object.defineProperty(process, "version", { value: "v${version}" });`,
  );
  return ["--require", preload];
}

/** Too old ones: simulated, and every one that is on the PATH. */
export function olderNodes(): OlderNode[] {
  const simulated = SIMULATED.map((version) => ({ node: process.execPath, args: pretend(version), version }));
  const real = (process.env["PATH"] ?? "")
    .split(delimiter)
    .map((folder) => join(folder, "node"))
    .filter((path) => existsSync(path))
    .map((node) => ({ node, args: [], version: versionOf(node) }))
    .filter(({ version }) => version !== "" && isTooOld(version));
  return [...simulated, ...real];
}

function versionOf(node: string): string {
  const { stdout } = spawnSync(node, ["-p", "process.versions.node"], { encoding: "utf8", timeout: 60_000 });
  return stdout.trim();
}

function isTooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major < 24 || (major === 24 && minor < 12);
}
