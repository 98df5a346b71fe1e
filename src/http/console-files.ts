import { readdir, readFile } from "node:fs/promises";
import { extname } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";

/** Where the console's build lies, in the checkout and in the package. */
const BUILT = new URL("../../console/dist/", import.meta.url);

/** What the build puts into its assets, and whether it gets smaller by compressing. */
const MEDIA_TYPES: Readonly<Record<string, readonly [type: string, isText: boolean]>> = {
  ".js": ["text/javascript; charset=utf-8", true],
  ".css": ["text/css; charset=utf-8", true],
  ".svg": ["image/svg+xml", true],
  ".woff2": ["font/woff2", false],
  ".png": ["image/png", false],
};

const CODINGS = { br: compressBrotli, gzip: promisify(gzip) } as const;
type Coding = keyof typeof CODINGS;

/** A file whose name changes with its content. */
export interface ConsoleAsset {
  readonly type: string;
  /** In the best coding that a client takes, for its `Accept-Encoding`; each is made when it is first asked for. */
  body(accepted: string): Promise<{ readonly bytes: Buffer; readonly coding: Coding | null }>;
}

/** The console as it was built, in memory: no client's path ever names a file of the disk. */
export interface ConsoleFiles {
  /** The page. @param base relative; what every address in it starts from  @param nonce for styles made at run time */
  page(base: string, nonce: string): string;
  /** @param path below `assets/` */
  asset(path: string): ConsoleAsset | null;
}

/** Reads the build. @returns null where there is none @throws where it can't be read, or isn't what the gateway serves */
export async function readConsoleFiles(directory: URL = BUILT): Promise<ConsoleFiles | null> {
  const html = await readFile(new URL("index.html", directory), "utf8").catch(ifThere);
  if (html === null) return null;
  const assets = new Map<string, ConsoleAsset>();
  for (const name of await readdir(new URL("assets/", directory))) {
    const [type, isText] = MEDIA_TYPES[extname(name)] ?? ["application/octet-stream", false];
    const bytes = await readFile(new URL(`assets/${name}`, directory));
    assets.set(name, createAsset(type, bytes, isText));
  }
  return { page: createPage(html), asset: (path) => assets.get(path) ?? null };
}

const ifThere = (error: NodeJS.ErrnoException): null => {
  if (error.code === "ENOENT") return null;
  throw error;
};

/** What of the page differs between answers. */
const MARKS = /(?<=<base href=")[^"]*|(?<=<meta property="csp-nonce" nonce=")[^"]*/g;

function createPage(html: string): ConsoleFiles["page"] {
  const parts = html.split(MARKS);
  if (parts.length !== 3) throw new Error("the console's page needs one <base href> and one csp-nonce");
  const [head, middle, rest] = parts;
  return (base, nonce) => `${head}${base}${middle}${nonce}${rest}`;
}

function createAsset(type: string, bytes: Buffer, isText: boolean): ConsoleAsset {
  const made = new Map<Coding, Promise<Buffer>>();
  function inCoding(coding: Coding): Promise<Buffer> {
    const known = made.get(coding) ?? CODINGS[coding](bytes);
    made.set(coding, known);
    return known;
  }
  return {
    type,
    async body(accepted) {
      const coding = isText ? bestCoding(accepted) : null;
      return { bytes: coding === null ? bytes : await inCoding(coding), coding };
    },
  };
}

/** RFC 9110 section 12.5.3, as far as it concerns us: what is named and not refused by `q=0`. */
function bestCoding(accepted: string): Coding | null {
  const named = accepted
    .toLowerCase()
    .split(",")
    .map((one) => one.split(";").map((part) => part.trim()))
    .filter(([, weight = ""]) => !/^q\s*=\s*0(\.0*)?$/.test(weight));
  return (["br", "gzip"] as const).find((coding) => named.some(([name]) => name === coding)) ?? null;
}

/** The highest quality would take the first visitor a second for some per cent less. */
const BROTLI_QUALITY = 9;

function compressBrotli(bytes: Buffer): Promise<Buffer> {
  return promisify(brotliCompress)(bytes, {
    params: {
      [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY,
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    },
  });
}
