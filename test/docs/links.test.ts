import assert from "node:assert/strict";
import { existsSync, globSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { test } from "node:test";
import { type Page, readPages, ROOT } from "./documents.ts";

const pages = readPages();
const byPath = new Map(pages.map((page) => [page.path, page]));

interface Link {
  readonly from: string;
  readonly to: string;
}

const LINK = /\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g;
const DEFINITION = /^\[[^\]]+\]:\s*(\S+)/gm;
const BARE = /<(https?:[^>\s]+)>/g;

function linksOf({ path, prose }: Page): Link[] {
  const text = prose.replace(/`[^`]*`/g, "");
  return [LINK, DEFINITION, BARE]
    .flatMap((pattern) => [...text.matchAll(pattern)])
    .map(([, to = ""]) => ({ from: path, to }));
}

const links = pages.flatMap(linksOf);
const [outside, inside] = [
  links.filter(({ to }) => /^[a-z]+:/i.test(to)),
  links.filter(({ to }) => !/^[a-z]+:/i.test(to)),
];

/** Where a link leads, from the root of the project. */
function placeOf({ from, to }: Link): { path: string; anchor: string | null } {
  const [file = "", anchor = null] = to.split("#");
  return { path: file === "" ? from : normalize(join(dirname(from), file)), anchor };
}

/** The anchors that GitHub makes of a page's headings. */
function anchorsOf({ prose }: Page): Set<string> {
  const anchors = new Set<string>();
  const repeats = new Map<string, number>();
  for (const [, heading = ""] of prose.matchAll(/^#{1,6} +(.+?) *#*$/gm)) {
    const plain = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").replace(/[`*]/g, "");
    const slug = plain
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, "")
      .replaceAll(" ", "-");
    const count = repeats.get(slug) ?? 0;
    repeats.set(slug, count + 1);
    anchors.add(count === 0 ? slug : `${slug}-${count}`);
  }
  for (const [, id = ""] of prose.matchAll(/<a (?:id|name)="([^"]+)"/g)) anchors.add(id);
  return anchors;
}

test("every link within the project leads to a file that exists", () => {
  assert.ok(inside.length > 100);
  const broken = inside.filter((link) => {
    const { path } = placeOf(link);
    return path.startsWith("..") || !existsSync(join(ROOT, path));
  });
  assert.deepEqual(broken, []);
});

test("every anchor is a heading of its page", () => {
  const broken = inside.filter((link) => {
    const { path, anchor } = placeOf(link);
    const page = byPath.get(path);
    return anchor !== null && page !== undefined && !anchorsOf(page).has(anchor);
  });
  assert.deepEqual(broken, []);
});

test("every link that leads outside is written https, without credentials", () => {
  const own = new Set(["http://localhost:8080/docs"]);
  const broken = outside.filter(({ to }) => {
    const url = URL.parse(to);
    const isRight =
      url?.protocol === "https:" && url.username === "" && /^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(url.hostname);
    return !isRight && !own.has(to);
  });
  assert.deepEqual(broken, []);
});

test("every page is reached from the README", () => {
  const reached = new Set<string>();
  const visit = (path: string): void => {
    const page = byPath.get(path);
    if (page === undefined || reached.has(path)) return;
    reached.add(path);
    for (const link of linksOf(page)) visit(placeOf(link).path);
  };
  visit("README.md");
  const missed = pages.map(({ path }) => path).filter((path) => !reached.has(path) && !path.startsWith("."));
  assert.deepEqual(missed, []);
});

test("every file that a page names exists", () => {
  const NAMED = /^(?:bin|src|test|docs|scripts|bench|chaos|deploy|examples|data)\/[\w./*{},-]*$/;
  const named = pages.flatMap(({ path, spans }) =>
    spans.filter((span) => NAMED.test(span)).map((file) => ({ from: path, file })),
  );
  assert.ok(named.length > 300);
  const missing = named.filter(
    ({ file }) => !existsSync(join(ROOT, file)) && globSync(file, { cwd: ROOT }).length === 0,
  );
  assert.deepEqual(missing, []);
});
