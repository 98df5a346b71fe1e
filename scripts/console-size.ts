// What a browser fetches before it shows the console's home page, gzipped: `npm run check:console-size`, on the build that is
// there.
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const MAX_BYTES = 130 * 1000;
/** The page itself, with the one that opens first. */
const ENTRIES = ["index.html"];

/** What Vite says of a file (https://vite.dev/guide/backend-integration). */
interface Chunk {
  readonly file: string;
  readonly imports?: readonly string[];
  readonly css?: readonly string[];
  readonly assets?: readonly string[];
}

const built = new URL("../console/dist/", import.meta.url);
const read = (path: string): Buffer => readFileSync(new URL(path, built));

function manifest(): Record<string, Chunk> {
  try {
    return JSON.parse(read(".vite/manifest.json").toString()) as Record<string, Chunk>;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    console.error("The console is not built: npm run build -w console");
    process.exit(1);
  }
}

/** The files of these chunks, and of all that they can't do without. */
function filesOf(chunks: Record<string, Chunk>, names: readonly string[]): Set<string> {
  const files = new Set<string>();
  const seen = new Set<string>();
  function add(name: string): void {
    if (seen.has(name)) return;
    seen.add(name);
    const chunk = chunks[name];
    if (chunk === undefined) throw new Error(`the build has no ${name}`);
    for (const file of [chunk.file, ...(chunk.css ?? []), ...(chunk.assets ?? [])]) files.add(file);
    for (const one of chunk.imports ?? []) add(one);
  }
  for (const name of names) add(name);
  return files;
}

const files = ["index.html", ...filesOf(manifest(), ENTRIES)];
const sizes = files.map((file) => [file, gzipSync(read(file), { level: 9 }).length] as const);
const total = sizes.reduce((sum, [, bytes]) => sum + bytes, 0);
const row = (name: string, bytes: number) => `${String(bytes).padStart(8)}  ${name}`;
console.log(
  sizes
    .toSorted(([, a], [, b]) => b - a)
    .map(([file, bytes]) => row(file, bytes))
    .join("\n"),
);
console.log(row(`in all, of at most ${MAX_BYTES}`, total));
process.exitCode = total <= MAX_BYTES ? 0 : 1;
