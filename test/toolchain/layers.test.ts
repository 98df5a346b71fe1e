import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";

const ROOT = join(import.meta.dirname, "../..");
const CONFIG = join(ROOT, ".oxlintrc.json");

interface Layer {
  /** The importing file. */
  file: string;
  forbidden: readonly string[];
  allowed: readonly string[];
}

/** What the lint rule makes of "imports point downward only", by the files it names. */
const layers: Record<string, Layer> = {
  "src/lib/**": {
    file: "src/lib/planted.ts",
    forbidden: ["../orders/states.ts", "../observe/log.ts", "../storage/open.ts", "../config.ts"],
    allowed: ["./clock.ts", "node:crypto"],
  },
  "src/observe/**": {
    file: "src/observe/planted.ts",
    forbidden: ["../orders/states.ts", "../storage/open.ts", "../http/server.ts", "../config.ts"],
    allowed: ["./scrub.ts", "../lib/clock.ts", "pino"],
  },
  "src/orders/**": {
    file: "src/orders/planted.ts",
    forbidden: [
      "../storage/open.ts",
      "../outbound/signature.ts",
      "../observe/log.ts",
      "node:fs",
      "pg",
      "undici",
    ],
    allowed: ["./states.ts", "../lib/clock.ts", "typebox"],
  },
  "src/outbound/**": {
    file: "src/outbound/planted.ts",
    forbidden: ["../storage/open.ts", "../pipeline/accept.ts", "../http/server.ts", "../config.ts"],
    allowed: ["./resolver.ts", "../orders/states.ts", "../lib/clock.ts", "../observe/log.ts", "undici"],
  },
  "src/storage/**": {
    file: "src/storage/dialect/planted.ts",
    forbidden: [
      "../../outbound/signature.ts",
      "../../pipeline/accept.ts",
      "../../http/server.ts",
      "../../config.ts",
    ],
    allowed: ["./sqlite.ts", "../tables.ts", "../../orders/states.ts", "../../lib/clock.ts", "kysely"],
  },
  "src/pipeline/**": {
    file: "src/pipeline/planted.ts",
    forbidden: [
      "../http/server.ts",
      "../sandbox/partner.ts",
      "../gateway.ts",
      "../storage/dialect/sqlite.ts",
    ],
    allowed: ["../storage/open.ts", "../outbound/signature.ts", "../orders/states.ts", "../observe/log.ts"],
  },
  "src/http/**": {
    file: "src/http/routes/planted.ts",
    forbidden: [
      "../../storage/dialect/sqlite.ts",
      "../../commands/serve.ts",
      "../../gateway.ts",
      "../../config.ts",
    ],
    allowed: ["../server.ts", "../../pipeline/accept.ts", "../../storage/open.ts", "../../lib/clock.ts"],
  },
  "src/sandbox/**": {
    file: "src/sandbox/planted.ts",
    forbidden: ["../storage/open.ts", "../http/server.ts", "../pipeline/accept.ts", "../config.ts"],
    allowed: ["./memory.ts", "../outbound/signature.ts", "../orders/states.ts", "../lib/clock.ts"],
  },
  "src/gateway.ts": {
    file: "src/gateway.ts",
    forbidden: ["./commands/serve.ts"],
    allowed: ["./http/server.ts", "./pipeline/accept.ts", "./storage/open.ts", "./config.ts"],
  },
  "src/config.ts": {
    file: "src/config.ts",
    forbidden: ["./commands/serve.ts"],
    allowed: ["./lib/clock.ts"],
  },
};

const unique = (name: string) => name.replaceAll(/\W/g, "_");

/** One line for each way to import: what a rule must see, or let pass. */
function importing(name: string): string[] {
  return [
    `import "${name}";`,
    `import { x as ${unique(name)} } from "${name}";`,
    `import type { X as ${unique(name)}Type } from "${name}";`,
    `export * from "${name}";`,
    `void import("${name}");`,
  ];
}

const sources: Record<string, string[]> = {
  "src/lib/circle-one.ts": ['export { two as one } from "./circle-two.ts";'],
  "src/lib/circle-two.ts": ['export { one as two } from "./circle-one.ts";'],
  "src/orders/clock.ts": ["export const now = Date.now();", "setTimeout(() => {}, 1);"],
};
for (const { file, forbidden, allowed } of Object.values(layers)) {
  sources[file] = [...forbidden, ...allowed].flatMap(importing);
}
const findings = lint();

/** Lints the sources under the project's own configuration, away from its tree. Gives the lines that a rule bites. */
function lint(): (file: string, rule: string) => string[] {
  const directory = mkdtempSync(join(tmpdir(), "wavegate-layers-"));
  after(() => rmSync(directory, { recursive: true, force: true }));
  cpSync(CONFIG, join(directory, ".oxlintrc.json"));
  for (const [file, lines] of Object.entries(sources)) {
    mkdirSync(join(directory, dirname(file)), { recursive: true });
    writeFileSync(join(directory, file), lines.join("\n"));
  }
  const oxlint = join(ROOT, "node_modules/oxlint/bin/oxlint");
  const options = { cwd: directory, encoding: "utf8", timeout: 60_000 } as const;
  const { stdout, stderr } = spawnSync(process.execPath, [oxlint, "--format", "json", "src"], options);
  assert.equal(stderr, "");
  const { diagnostics } = JSON.parse(stdout) as {
    diagnostics: { code: string; filename: string; labels: { span: { line: number } }[] }[];
  };
  return (file, rule) =>
    diagnostics
      .filter(({ code, filename }) => code === rule && filename === file)
      .map(({ labels }) => sources[file]?.[labels[0]!.span.line - 1] ?? "");
}

test("every layer that the configuration names is tested here", () => {
  const { overrides } = JSON.parse(readFileSync(CONFIG, "utf8")) as {
    overrides: { files: string[]; rules: Record<string, unknown> }[];
  };
  const named = overrides
    .filter(({ rules }) => "no-restricted-imports" in rules)
    .flatMap(({ files }) => files);
  assert.deepEqual(Object.keys(layers).sort(), named.sort());
});

for (const [files, { file, forbidden }] of Object.entries(layers)) {
  test(`${files} imports downward only`, () => {
    const bitten = findings(file, "eslint(no-restricted-imports)");
    assert.deepEqual(bitten.sort(), forbidden.flatMap(importing).sort());
  });
}

test("a circle is found", () => {
  for (const file of ["src/lib/circle-one.ts", "src/lib/circle-two.ts"]) {
    assert.deepEqual(findings(file, "import(no-cycle)"), sources[file]);
  }
});

test("the domain has no clock", () => {
  const file = "src/orders/clock.ts";
  assert.deepEqual(findings(file, "eslint(no-restricted-globals)"), sources[file]);
});
