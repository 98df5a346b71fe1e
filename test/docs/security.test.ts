import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { suite, test } from "node:test";

const ROOT = join(import.meta.dirname, "../..");
const read = (path: string) => readFileSync(join(ROOT, path), "utf8");
const DOCUMENTS = ["SECURITY.md", "docs/security.md"].map((path) => {
  const text = read(path);
  // Names may be broken over two lines.
  return { path, text, flowing: text.replace(/\s+/g, " ") };
});
const CHECKLIST = DOCUMENTS[1]!.text;

const FILE = /`((?:src|test|docs|scripts|bench|chaos|deploy|data)\/[\w./-]*)`/g;
const TEST = /`(test\/[\w./-]+\.ts)`((?:,? "[^"]+")*)/g;
const LINK = /\]\(([^)#:]+)(?:#[^)]*)?\)/g;

for (const { path, text, flowing } of DOCUMENTS) {
  suite(path, () => {
    test("every file it names exists", () => {
      const named = [...text.matchAll(FILE)].map(([, file]) => file!);
      assert.ok(named.length > 50);
      assert.deepEqual(
        named.filter((file) => !existsSync(join(ROOT, file))),
        [],
      );
      const linked = [...text.matchAll(LINK)].map(([, to]) => join(ROOT, dirname(path), to!));
      assert.deepEqual(
        linked.filter((file) => !existsSync(file)),
        [],
      );
    });

    test("every test it names is in the file that it names", () => {
      const cited = [...flowing.matchAll(TEST)].flatMap(([, file, names = ""]) =>
        [...names.matchAll(/"([^"]+)"/g)].map(([, name]) => ({ file: file!, name: name! })),
      );
      assert.ok(cited.length > 50);
      assert.deepEqual(
        cited.filter(({ file, name }) => existsSync(join(ROOT, file)) && !read(file).includes(`"${name}"`)),
        [],
      );
    });
  });
}

interface Row {
  readonly names: string;
  readonly state: string;
  readonly tests: string;
}

/** The rows of the checklist whose first cell begins as it should. */
function rows(begin: RegExp): Row[] {
  return CHECKLIST.split("\n").flatMap((line) => {
    const [, names = "", state = "", , tests = ""] = line.split("|").map((cell) => cell.trim());
    return begin.test(names) ? [{ names, state, tests }] : [];
  });
}

const STATES = new Set(["Met", "Partly", "Yours", "Not met", "n/a"]);

function checkStates(checked: readonly Row[]): void {
  for (const { names, state, tests } of checked) {
    assert.ok(STATES.has(state), `${names}: ${state}`);
    if (state === "Met" || state === "Partly") assert.match(tests, /^`test\//, `${names}: no test`);
  }
}

suite("OWASP's lists", () => {
  test("all ten risks of the API Security Top 10 have their row", () => {
    const risks = rows(/^API\d/);
    checkStates(risks);
    assert.deepEqual(
      risks.map(({ names }) => names.split(" ")[0]),
      Array.from({ length: 10 }, (_, index) => `API${index + 1}:2023`),
    );
  });

  // How many requirements each section of ASVS 5.0.0 has, by chapter; the chapters that are left out as a whole have none
  // here.
  const SECTIONS: Readonly<Record<number, readonly number[]>> = {
    1: [2, 10, 12, 3, 3],
    2: [3, 3, 5, 2],
    3: [1, 3, 5, 8, 8, 1, 5],
    4: [5, 5, 2, 4],
    6: [3, 12, 8, 6, 8, 4, 2, 4],
    7: [3, 4, 2, 5, 3, 2],
    8: [4, 4, 3, 2],
    9: [3, 4],
    11: [4, 5, 5, 4, 2, 2, 2],
    12: [5, 2, 5],
    13: [4, 6, 4, 7],
    14: [2, 8, 3],
    15: [5, 5, 7, 4],
    16: [1, 5, 4, 3, 4],
  };

  /** `1.2.5 - 1.2.10` as each of them. */
  function expanded(names: string): string[] {
    return names.split(", ").flatMap((name) => {
      const [, section = "", from = "", to = from] = /^(\d+\.\d+)\.(\d+)(?: - \1\.(\d+))?$/.exec(name) ?? [];
      assert.notEqual(section, "", `${name} is no requirement`);
      return Array.from(
        { length: Number(to) - Number(from) + 1 },
        (_, index) => `${section}.${Number(from) + index}`,
      );
    });
  }

  for (const [chapter, sections] of Object.entries(SECTIONS)) {
    test(`ASVS V${chapter}: every requirement has its row, and no other`, () => {
      const found = rows(new RegExp(`^${chapter}\\.`));
      checkStates(found);
      const expected = sections.flatMap((count, section) =>
        Array.from({ length: count }, (_, index) => `${chapter}.${section + 1}.${index + 1}`),
      );
      assert.deepEqual(found.flatMap(({ names }) => expanded(names)).toSorted(), expected.toSorted());
    });
  }
});

test("every module that imports node:crypto is in the inventory", () => {
  const [, inventory = ""] = CHECKLIST.split("Cryptography:");
  const listed = [...inventory.split("\n\n")[1]!.matchAll(FILE)].map(([, file]) => file!);
  const importing = globSync("src/**/*.ts", { cwd: ROOT }).filter((file) =>
    read(file).includes('"node:crypto"'),
  );
  assert.deepEqual(importing.toSorted(), listed.toSorted());
});

test("every dependency is one exact version of a registry", () => {
  const { dependencies, devDependencies } = JSON.parse(read("package.json")) as Record<
    string,
    Record<string, string>
  >;
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
    assert.match(version, /^\d+\.\d+\.\d+(?:-[\w.]+)?$/, name);
  }
});
