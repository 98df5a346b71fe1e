import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const ROOT = join(import.meta.dirname, "../..");
/** Not in the system's temporary folder: what lies there under a name that one can guess may be somebody else's. */
const CACHE = join(ROOT, "node_modules/.cache/wavegate");
const ARCHIVES = ["chromium.br", "al2023.tar.br", "fonts.tar.br", "swiftshader.tar.br"];

export interface Chromium {
  readonly executablePath: string;
  /** Where its libraries and fonts are, beside the process's own environment. */
  readonly env: Readonly<Record<string, string>>;
}

/** The Chromium of `CHROMIUM_PATH`, or the one that npm has installed, unpacked once for all that ask. */
export async function chromiumToRun(): Promise<Chromium> {
  const given = process.env["CHROMIUM_PATH"];
  if (given) return { executablePath: given, env: {} };
  if (process.platform !== "linux" || process.arch !== "x64")
    throw new Error("npm's Chromium runs on Linux on x64: name one of this machine's by CHROMIUM_PATH");
  const bin = join(dirname(fileURLToPath(import.meta.resolve("@sparticuz/chromium"))), "../bin");
  const { version } = JSON.parse(await readFile(join(bin, "../package.json"), "utf8")) as { version: string };
  const directory = join(CACHE, `chromium-${version}`);
  await madeOnce(directory, (into) => unpack(bin, into));
  return {
    executablePath: join(directory, "chromium"),
    env: {
      LD_LIBRARY_PATH: join(directory, "al2023/lib"),
      FONTCONFIG_FILE: join(directory, "fonts.conf"),
    },
  };
}

/**
 * A directory with what `fill` puts into it. Whoever sees it, sees all of it: of several who make it at once, each makes one of
 * its own, and the first is the one that stays.
 */
export async function madeOnce(directory: string, fill: (into: string) => Promise<void>): Promise<void> {
  if (existsSync(directory)) return;
  await mkdir(dirname(directory), { recursive: true });
  const own = await mkdtemp(join(dirname(directory), `.${basename(directory)}-`));
  try {
    await fill(own);
    await rename(own, directory);
  } catch (error) {
    await rm(own, { recursive: true, force: true });
    if (!existsSync(directory)) throw error;
  }
}

/** The package unpacks to where `TMPDIR` says; in a process of its own, so that nobody else's changes. */
async function unpack(bin: string, into: string): Promise<void> {
  const script = `import { inflate } from "@sparticuz/chromium";
    await Promise.all(process.argv.slice(1).map((file) => inflate(file)));`;
  const files = ARCHIVES.map((name) => join(bin, name));
  await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script, ...files], {
    cwd: ROOT,
    env: { ...process.env, TMPDIR: into },
    timeout: 60_000,
  });
  await writeFile(join(into, "fonts.conf"), FONTS);
}

/** The package's Open Sans beside the system's fonts, of which there may be none. */
const FONTS = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
  <dir prefix="relative">fonts</dir>
  ${["sans-serif", "system-ui", "ui-sans-serif"]
    .map(
      (name) =>
        `<alias binding="strong"><family>${name}</family><prefer><family>Open Sans</family></prefer></alias>`,
    )
    .join("\n  ")}
</fontconfig>
`;
