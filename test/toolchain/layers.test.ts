import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, posix } from "node:path";
import { after, test } from "node:test";

const ROOT = join(import.meta.dirname, "../..");
const CONFIG = join(ROOT, ".oxlintrc.json");

/** One module for each place that a rule tells from the others, and every package that some place alone may use. */
const MODULES = [
  "src/lib/clock.ts",
  "src/observe/log.ts",
  "src/orders/states.ts",
  "src/outbound/signature.ts",
  "src/outbound/resolver.ts",
  "src/storage/target.ts",
  "src/storage/tables.ts",
  "src/storage/migrations/0001-initial.ts",
  "src/storage/dialect/sqlite.ts",
  "src/pipeline/accept.ts",
  "src/http/server.ts",
  "src/http/routes/orders.ts",
  "src/sandbox/partner.ts",
  "src/config.ts",
  "src/config/parsers.ts",
  "src/provision.ts",
  "src/gateway.ts",
  "src/main.ts",
  "src/commands/serve.ts",
  "src/commands/cli/output.ts",
  "test/support/way.ts",
  "console/src/main.tsx",
  "package.json",
];
const PACKAGES = [
  "node:crypto",
  "node:fs",
  "node:fs/promises",
  "fs",
  "ipaddr.js",
  "pino",
  "prom-client",
  "@opentelemetry/resources",
  "typebox",
  "typebox/compile",
  "canonicalize",
  "undici",
  "kysely",
  "kysely/migration",
  "pg",
  "fastify",
  "@fastify/swagger",
  "commander",
];

const NODE = ["node:crypto", "node:fs", "node:fs/promises"];
const TYPEBOX = ["typebox", "typebox/compile"];
const KYSELY = ["kysely", "kysely/migration"];
const OBSERVE = ["pino", "prom-client", "@opentelemetry/resources"];
const FASTIFY = ["fastify", "@fastify/swagger"];
const ORDERS = ["src/orders/states.ts", "src/lib/clock.ts"];
const DOMAIN = [...ORDERS, "src/observe/log.ts"];
const OUTBOUND = ["src/outbound/signature.ts", "src/outbound/resolver.ts"];
const STORAGE = ["src/storage/target.ts", "src/storage/tables.ts"];
const MIGRATIONS = ["src/storage/migrations/0001-initial.ts"];
const DIALECTS = ["src/storage/dialect/sqlite.ts"];
const PIPELINE = [...DOMAIN, ...OUTBOUND, ...STORAGE, "src/pipeline/accept.ts"];
const HTTP = [...PIPELINE, "src/http/server.ts", ...NODE, ...FASTIFY, ...TYPEBOX];
const CONFIGURATION = ["src/config.ts", "src/config/parsers.ts"];
const ROOT_OF_ALL = [...CONFIGURATION, ...PIPELINE, "src/http/server.ts", "src/provision.ts", ...NODE];
const COMMANDS = [...ROOT_OF_ALL, "src/gateway.ts", "src/sandbox/partner.ts", "commander"];
const CONFIG_MAY = [...ORDERS, "src/storage/target.ts", "src/outbound/signature.ts", ...NODE];

/** What a file of each place may import: all the rest of the above is forbidden. The keys are the lint rule's. */
const places: Record<string, readonly string[]> = {
  "src/**": [],
  "src/lib/*": ["src/lib/clock.ts", ...NODE, "ipaddr.js"],
  "src/observe/*": ["src/observe/log.ts", "src/lib/clock.ts", ...NODE, ...OBSERVE, "package.json"],
  "src/orders/*": [...ORDERS, "node:crypto", ...TYPEBOX, "canonicalize"],
  "src/outbound/*": [...DOMAIN, ...OUTBOUND, ...NODE, "undici"],
  "src/storage/*": [...DOMAIN, ...STORAGE, ...MIGRATIONS, ...NODE, ...KYSELY],
  "src/storage/open.ts": [...DOMAIN, ...STORAGE, ...DIALECTS, ...NODE, ...KYSELY],
  "src/storage/dialect/*": [...DOMAIN, ...STORAGE, ...DIALECTS, ...NODE, ...KYSELY, "pg"],
  "src/storage/migrations/*": [...DOMAIN, ...STORAGE, ...MIGRATIONS, ...NODE, ...KYSELY],
  "src/pipeline/*": [...PIPELINE, ...NODE],
  "src/http/*": [...HTTP, "src/http/routes/orders.ts", "package.json"],
  "src/http/routes/*": [...HTTP, "src/http/routes/orders.ts"],
  "src/sandbox/*": [...ORDERS, ...OUTBOUND, "src/sandbox/partner.ts", ...NODE, ...TYPEBOX],
  "src/config.ts": [...CONFIG_MAY, "src/config/parsers.ts"],
  "src/config/*": [...CONFIG_MAY, ...CONFIGURATION],
  "src/gateway.ts": ROOT_OF_ALL,
  "src/provision.ts": ROOT_OF_ALL,
  "src/commands/*": [...COMMANDS, "src/commands/serve.ts", "src/commands/cli/output.ts"],
  "src/commands/cli/*": [...COMMANDS, "src/commands/cli/output.ts"],
};

/** The file that is planted in a place. */
const planted = (place: string) => place.replace("**", "new/planted.ts").replace(/\*$/, "planted.ts");

/** The one way to write a module's name in a file. */
function written(file: string, module: string): string {
  if (PACKAGES.includes(module)) return module;
  const path = posix.relative(posix.dirname(file), module);
  return path.startsWith(".") ? path : `./${path}`;
}

/** Other ways to write the same, which no place may use: they would slip past what a rule says of the first. */
function disguised(name: string): string[] {
  if (!name.startsWith(".")) return [];
  const up = name.startsWith("..") ? name : `.${name}`;
  return [`./${name}`, name.replace("/", "//"), `./x/${up}`, `../lib/${up}`, `../../src/lib/${up}`];
}

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

function namesIn(place: string, modules: readonly string[]): string[] {
  return modules.map((module) => written(planted(place), module)).filter((name) => name !== "./planted.ts");
}

function forbiddenIn(place: string): string[] {
  const may = new Set(places[place]);
  const every = [...MODULES, ...PACKAGES].filter((module) => module !== planted(place));
  const forbidden = namesIn(
    place,
    every.filter((module) => !may.has(module)),
  );
  return [...forbidden, ...namesIn(place, every).flatMap(disguised)];
}

const circle: Record<string, string[]> = {
  "src/lib/circle-one.ts": ['export { two as one } from "./circle-two.ts";'],
  "src/lib/circle-two.ts": ['export { one as two } from "./circle-one.ts";'],
};
const hidden: Record<string, [rule: string, line: string]> = {
  "src/lib/computed.ts": [
    "import(no-dynamic-require)",
    'const open = "../storage/open.ts"; void import(open);',
  ],
  "src/lib/type.ts": [
    "typescript(consistent-type-imports)",
    'export type X = import("../storage/open.ts").Storage;',
  ],
};
/** Of the console: a file planted in each place, what it may import, and what it may not. */
const SERVER = ["lib/clock.ts", "pipeline/live.ts", "storage/tables.ts", "config.ts"].map(
  (name) => `../../../src/${name}`,
);
const VIEWS = ["../../../src/http/order-view.ts", "../../../src/http/routes/admin.ts"];
const PURE = ["./x.ts", "../../../src/orders/states.ts"];
const STATE = ["format", "search", "api", "session", "preferences", "live"].map((name) => `../${name}/x.ts`);
const ABOVE = ["../pages/orders/x.tsx", "../shell/x.tsx", "../main.tsx", "../app.tsx", "../router.tsx"];
const consolePlaces: Record<string, { file: string; may: readonly string[]; mayNot: readonly string[] }> = {
  "console/**": {
    file: "console/src/acts/planted.tsx",
    may: [...PURE, ...STATE, "react", "../ui/x.tsx"],
    mayNot: [...SERVER, ...ABOVE, "node:fs"],
  },
  "console/src/{format,search}/*": {
    file: "console/src/search/planted.ts",
    may: PURE,
    mayNot: [...SERVER, ...VIEWS, ...STATE, ...ABOVE, "../ui/x.tsx", "react", "node:fs"],
  },
  "console/src/{api,session,preferences,live}/*": {
    file: "console/src/api/planted.ts",
    may: [...PURE, ...STATE, "react"],
    mayNot: [...SERVER, ...ABOVE, "../ui/x.tsx", "../acts/x.tsx", "node:fs"],
  },
  "console/src/ui/*": {
    file: "console/src/ui/planted.tsx",
    may: [...PURE, ...STATE, "./x.tsx", "react"],
    mayNot: [...SERVER, ...VIEWS, ...ABOVE, "../acts/x.tsx", "node:fs"],
  },
};
/** They take types from where they take no values. */
const takesTypes = (place: string): boolean => !consolePlaces[place]!.mayNot.includes(VIEWS[0]!);
const typeOf = (name: string) => `import type { X as ${unique(name)}Type } from "${name}";`;
const consoleMayNot = (place: string): string[] => [
  ...consolePlaces[place]!.mayNot.flatMap(importing),
  ...(takesTypes(place)
    ? VIEWS.flatMap((name) => importing(name).filter((line) => line !== typeOf(name)))
    : []),
];
const PAGE = "console/src/pages/orders/planted.tsx";
const otherPage = importing("../order/x.tsx");
const html = ['export const html = <p dangerouslySetInnerHTML={{ __html: "" }} />;'];
const clock = ["export const now = Date.now();", "setTimeout(() => {}, 1);"];

const sources: Record<string, string[]> = {
  ...circle,
  "src/orders/clock.ts": clock,
  [PAGE]: [...otherPage, ...["../../acts/x.tsx", "./x.tsx"].flatMap(importing)],
  "console/src/html.tsx": html,
};
for (const [file, [, line]] of Object.entries(hidden)) sources[file] = [line];
for (const [place, may] of Object.entries(places)) {
  sources[planted(place)] = [...namesIn(place, may), ...forbiddenIn(place)].flatMap(importing);
}
for (const [place, { file, may }] of Object.entries(consolePlaces)) {
  sources[file] = [
    ...may.flatMap(importing),
    ...(takesTypes(place) ? VIEWS.map(typeOf) : []),
    ...consoleMayNot(place),
  ];
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
  const options = { cwd: directory, encoding: "utf8", timeout: 60_000, maxBuffer: 2 ** 28 } as const;
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [oxlint, "--format", "json", "src", "console"],
    options,
  );
  assert.equal(stderr, "");
  const { diagnostics } = JSON.parse(stdout) as {
    diagnostics: { code: string; filename: string; labels: { span: { line: number } }[] }[];
  };
  return (file, rule) =>
    diagnostics
      .filter(({ code, filename }) => code === rule && filename === file)
      .map(({ labels }) => sources[file]?.[labels[0]!.span.line - 1] ?? "");
}

test("every place that the configuration names is tested here", () => {
  const { overrides } = JSON.parse(readFileSync(CONFIG, "utf8")) as {
    overrides: { files: string[]; rules: Record<string, unknown> }[];
  };
  const named = overrides
    .filter(({ rules }) => "no-restricted-imports" in rules)
    .flatMap(({ files }) => files);
  assert.deepEqual([...Object.keys(places), ...Object.keys(consolePlaces)].sort(), named.sort());
});

for (const place of Object.keys(places)) {
  test(`${place} imports downward only`, () => {
    const bitten = findings(planted(place), "eslint(no-restricted-imports)");
    assert.deepEqual(bitten.sort(), forbiddenIn(place).flatMap(importing).sort());
  });
}

for (const [place, { file }] of Object.entries(consolePlaces)) {
  test(`${place} imports what is below it, and of the server the domain`, () => {
    const bitten = findings(file, "eslint(no-restricted-imports)");
    assert.deepEqual([...new Set(bitten)].sort(), [...new Set(consoleMayNot(place))].sort());
  });
}

test("a page of the console knows no other", () => {
  assert.deepEqual(findings(PAGE, "eslint(no-restricted-imports)").sort(), otherPage.sort());
});

test("the console sets no HTML", () => {
  assert.deepEqual(findings("console/src/html.tsx", "react(no-danger)"), html);
});

for (const [file, [rule, line]] of Object.entries(hidden)) {
  test(`an import that the layers would not see is refused: ${line}`, () => {
    assert.deepEqual(findings(file, rule), [line]);
  });
}

test("no file has an import that no rule sees, or turns the rules off", () => {
  const unseen = /import\(\s*`|lint-disable[-\w]*(\s*$|\s*\*\/| --| .*(import|cycle|dynamic))/m;
  const files = globSync("src/**/*.ts", { cwd: ROOT });
  assert.notEqual(files.length, 0);
  const found = files.filter((file) => unseen.test(readFileSync(join(ROOT, file), "utf8")));
  // The module that TICKETING_MAPPING names is the operator's: no rule of ours is about it.
  assert.deepEqual(found, ["src/config/mapping-module.ts"]);
});

test("a circle is found", () => {
  for (const [file, lines] of Object.entries(circle)) {
    assert.deepEqual(findings(file, "import(no-cycle)"), lines);
  }
});

test("the domain has no clock", () => {
  assert.deepEqual(findings("src/orders/clock.ts", "eslint(no-restricted-globals)"), clock);
});
