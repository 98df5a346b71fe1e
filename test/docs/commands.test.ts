import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { before, suite, test } from "node:test";
import { loadProgram } from "../../src/commands/program.ts";
import { CONFIG_VARIABLES } from "../../src/config.ts";
import { type Command, commandsIn, type Page, readPages, ROOT } from "./documents.ts";
import { words } from "../fuzz/words.ts";
import { type CheckCommandLine, openProgram } from "./program.ts";

const pages = readPages();
const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
  scripts: Record<string, string>;
};

const OURS = new Set(["wavegate", "npm", "npx", "node", "curl"]);
/** What else operators have at hand. */
const OTHERS = new Set(
  words(`cd chmod chown cp createdb df docker export install journalctl jq kill ln ls mkdir mv nginx openssl pg_dump pg_restore
    promtool psql rm sqlite3 ss systemctl systemd-analyze tar`),
);
/** Programs, which have tests of their own. */
const PROGRAMS = new Set(["docs/verify-a-callback.md"]);
/** Of npm itself. */
const NPM = new Set(["audit", "ci", "install", "pack", "prune", "run", "sbom", "start", "test"]);

interface Line extends Command {
  readonly from: string;
}

const lines: Line[] = pages
  .filter(({ path }) => !PROGRAMS.has(path))
  .flatMap(({ path, blocks }) =>
    blocks
      .filter(({ language }) => language === "bash" || language === "sh")
      .flatMap(({ text }) => commandsIn(text))
      .map((command) => ({ ...command, from: path })),
  );
const mentions: Line[] = pages.flatMap(({ path, spans }) =>
  spans
    .filter((span) => /^(?:wavegate|node|npm) /.test(span))
    .flatMap((span) => expanded(span).flatMap(commandsIn))
    .map((command) => ({ ...command, from: path })),
);

/** `partner list|show` as each of them. */
function expanded(span: string): string[] {
  const [, before = "", list = "", after = ""] = /^(.* )([a-z-]+(?:\|[a-z-]+)+)(.*)$/.exec(span) ?? [];
  return list === "" ? [span] : list.split("|").map((one) => before + one + after);
}

/** The command line of `wavegate` that is meant, however it is called; null: none is. */
function ofWavegate([program, ...rest]: readonly string[]): readonly string[] | null {
  if (program === "wavegate") return rest;
  if (program === "node" && /^(?:src|bin)\/main\.ts$/.test(rest[0] ?? "")) return rest.slice(1);
  const [, script = ""] =
    program === "npm" && rest[0] === "run"
      ? (/(?:^|,)([a-z]+)(?:,|$)/.exec(
          rest
            .slice(1)
            .filter((word) => !word.startsWith("-"))
            .slice(0, 1)
            .join(),
        ) ?? [])
      : [];
  const [, command] = /^node (?:src|bin)\/main\.ts ?(.*)$/.exec(scripts[script] ?? "") ?? [];
  if (command === undefined) return null;
  const dashes = rest.indexOf("--");
  return [
    ...command.split(" ").filter((word) => word !== ""),
    ...(dashes === -1 ? [] : rest.slice(dashes + 1)),
  ];
}

async function problemsOf(all: readonly Line[], check: CheckCommandLine): Promise<string[]> {
  const problems: string[] = [];
  for (const { words, from } of all) {
    const args = ofWavegate(words);
    const problem = args === null ? null : await check(args);
    if (problem !== null) problems.push(`${from}: ${words.join(" ")}: ${problem}`);
  }
  return problems;
}

suite("commands of the documents", () => {
  let check: CheckCommandLine;
  let checkMention: CheckCommandLine;
  before(async () => {
    check = await openProgram({ isMention: false });
    checkMention = await openProgram({ isMention: true });
  });

  test("a wrong command line is noticed", async () => {
    for (const wrong of [
      "ordr show 1",
      "order shwo 1",
      "order show",
      "order show 1 --jsno",
      "order list --limit x",
    ])
      assert.notEqual(await check(wrong.split(" ")), null, wrong);
    assert.equal(await check(["order", "show", "EXT-42", "--json"]), null);
    assert.equal(await checkMention(["order", "show"]), null);
    assert.notEqual(await checkMention(["order", "shwo"]), null);
  });

  test("every wavegate command in a block is one, with options that it has and all that it needs", async () => {
    assert.ok(lines.filter(({ words }) => ofWavegate(words) !== null).length > 60);
    assert.deepEqual(await problemsOf(lines, check), []);
  });

  test("every wavegate command in a sentence is one", async () => {
    assert.ok(mentions.length > 20);
    assert.deepEqual(await problemsOf(mentions, checkMention), []);
  });

  test("the README's table has every command, and no other", async () => {
    const readme = pages.find(({ path }) => path === "README.md")!;
    const [, section = ""] = /## Commands\n([\s\S]*?)\n## /.exec(readme.prose)!;
    const cells = section.split("\n").map((row) => row.replaceAll("\\|", "/").split("|")[1] ?? "");
    const named = cells.flatMap((cell) =>
      [...cell.matchAll(/`([^`]+)`/g)].flatMap(([, names = ""]) => expanded(names.replaceAll("/", "|"))),
    );
    for (const name of named) assert.equal(await checkMention(name.split(" ")), null, name);
    const program = await loadProgram();
    const all = program.commands.flatMap((command) =>
      command.commands.length === 0
        ? [command.name()]
        : command.commands.map((inner) => `${command.name()} ${inner.name()}`),
    );
    assert.deepEqual(named.toSorted(), all.toSorted());
  });
});

test("every program in a block is known, and blocks of commands say that they are", () => {
  const programs = lines.flatMap(({ words, from }) =>
    words.length === 0 ? [] : [{ program: words[0]!, from }],
  );
  assert.deepEqual(
    programs.filter(({ program }) => !OURS.has(program) && !OTHERS.has(program)),
    [],
  );
  const unlabelled = pages.flatMap(({ path, blocks }) =>
    blocks
      .filter(({ language, text }) => language === "" && OURS.has(text.split(/\s/, 1)[0]!))
      .map(({ text }) => `${path}: ${text.split("\n", 1)[0]}`),
  );
  assert.deepEqual(unlabelled, []);
});

test("every npm script and every file that is run exists", () => {
  const all = [...lines, ...mentions];
  const wrong = all.filter(({ words: [program, ...rest] }) => {
    const [first = "", ...others] = rest.filter((word) => !word.startsWith("-"));
    if (program === "node") return !existsSync(join(ROOT, first)) && !/[<*$]/.test(first);
    if (program !== "npm") return false;
    if (first === "run") return !Object.hasOwn(scripts, others[0] ?? "");
    return !NPM.has(first);
  });
  assert.deepEqual(
    wrong.map(({ from, words }) => `${from}: ${words.join(" ")}`),
    [],
  );
});

/** Of others, or of the tests. */
const OTHER_VARIABLES = new Set([
  "CHROMIUM_PATH",
  "FUZZ_RUNS",
  "FUZZ_SEED",
  "NAME_FILE",
  "NODE_EXTRA_CA_CERTS",
  "TEST_DATABASE_URL",
]);

test("every variable that is named is a setting", () => {
  const settings = new Set(
    CONFIG_VARIABLES.flatMap(({ name, isSecret }) => (isSecret ? [name, `${name}_FILE`] : [name])),
  );
  const NAMED = /^([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(?:=.*)?$/;
  const inSpans = pages.flatMap(({ path, spans }) =>
    spans.flatMap((span) => NAMED.exec(span)?.[1] ?? []).map((name) => ({ from: path, name })),
  );
  const inBlocks = lines.flatMap(({ from, words, assignments }) =>
    [...assignments, ...(words[0] === "export" ? words.slice(1) : [])].map((text) => ({
      from,
      name: text.split("=", 1)[0]!,
    })),
  );
  const inFiles = pages.flatMap(dotEnvNames);
  assert.ok(inSpans.length > 150);
  const wrong = [...inSpans, ...inBlocks, ...inFiles].filter(
    // OpenTelemetry's own are its SDK's.
    ({ name }) => !settings.has(name) && !OTHER_VARIABLES.has(name) && !name.startsWith("OTEL_"),
  );
  assert.deepEqual(wrong, []);
});

/** What blocks without a language set, line by line. */
function dotEnvNames({ path, blocks }: Page): { from: string; name: string }[] {
  return blocks
    .filter(({ language }) => language === "")
    .flatMap(({ text }) =>
      [...text.matchAll(/^([A-Z][A-Z0-9_]+)=/gm)].map(([, name = ""]) => ({ from: path, name })),
    );
}

test("every block of JSON is JSON, but for what is left out", () => {
  const blocks = pages.flatMap(({ path, blocks }) =>
    blocks.filter(({ language }) => language === "json").map(({ text }) => ({ path, text })),
  );
  assert.ok(blocks.length > 5);
  for (const { path, text } of blocks) {
    const whole = text.replaceAll("[…]", "[]").replaceAll("{…}", "{}");
    assert.doesNotThrow(() => void JSON.parse(whole), `${path}: ${text}`);
  }
});
