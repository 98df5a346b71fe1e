import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { errorIn, run, runAlone, start } from "./cli.ts";

const COMMANDS = [
  "",
  "serve",
  "demo",
  "backup",
  "doctor",
  "errors",
  "hold",
  "migrate",
  "operator",
  "operator add",
  "operator list",
  "operator rotate",
  "operator disable",
  "operator enable",
  "order",
  "order list",
  "order export",
  "order show",
  "order retry",
  "order resend",
  "order cancel",
  "order close",
  "order resolve",
  "overview",
  "partner",
  "partner add",
  "partner list",
  "partner rotate",
  "partner disable",
  "partner enable",
  "partner secret",
  "partner reseal",
  "purge",
  "reconcile",
  "rejection",
  "rejection list",
  "release",
  "tail",
  "attempt",
  "attempt list",
  "ticketing",
  "ticketing probe",
];

for (const command of COMMANDS) {
  test(`wavegate ${command} --help has examples and exit codes`, async () => {
    const names = command.split(" ").filter(Boolean);
    // What a command loads is loaded from nothing once, and is the same for those under it.
    const { code, stdout, stderr } = await (names.length > 1 ? run : runAlone)([...names, "--help"]);
    assert.equal(code, 0);
    assert.equal(stderr, "");
    assert.match(stdout, new RegExp(`^Usage: wavegate ${command}`));
    assert.match(stdout, /\nExamples:\n {2}\S.*:\n {4}(node .*main\.ts|wavegate) /);
    assert.match(stdout, /\nExit codes:\n {2}0 /);
  });
}

test("help names every command; help of a command is its --help", async () => {
  const { stdout } = await run(["--help"]);
  for (const name of [
    "serve",
    "demo",
    "doctor",
    "migrate",
    "operator",
    "order",
    "partner",
    "purge",
    "ticketing",
  ]) {
    assert.match(stdout, new RegExp(`^ {2}${name} +\\S`, "m"));
  }
  assert.deepEqual(await runAlone(["help", "order", "show"]), await run(["order", "show", "--help"]));
});

test("serve --help lists the variables", async () => {
  const { stdout } = await run(["serve", "--help"]);
  assert.match(stdout, /^ {2}DATABASE_URL\* \[sqlite:\/\/\/\.\/gateway\.db\]$/m);
});

test("--version is the package's", async () => {
  const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
  assert.deepEqual(await runAlone(["--version"]), { code: 0, stdout: `${version}\n`, stderr: "" });
});

test("without a command, the help and exit code 2", async () => {
  for (const args of [[], ["operator"], ["order"], ["partner"]]) {
    const { code, stdout, stderr } = await run(args);
    assert.equal(code, 2);
    assert.equal(stdout, "");
    assert.match(stderr, /^Usage: /);
  }
});

test("a wrong command is one line, a suggestion and what to do next", async () => {
  const { code, stdout, stderr } = await runAlone(["servee"]);
  assert.equal(code, 2);
  assert.equal(stdout, "");
  assert.match(stderr, /^error: unknown command 'servee' \(Did you mean serve\?\)\nsee `.*--help`\n$/);
  assert.match((await run(["order", "shwo", "1"])).stderr, /Did you mean show\?/);
});

test("wrong options and arguments are usage errors; under --json as JSON", async () => {
  const wrong = [
    ["migrate", "--chekc"],
    ["serve", "--workers", "0"],
    ["serve", "--workers", "many"],
    ["order", "show"],
    ["order", "list", "--limit", "201"],
    ["order", "list", "--status", "lost"],
    ["order", "list", "--before", "-1"],
    ["order", "retry", "1"],
    ["order", "retry", "1", "--reason", " "],
    ["operator", "add", "kim"],
    ["operator", "add", "kim", "--role", "admin"],
    ["partner", "add", "p"],
    ["partner", "rotate", "p", "--overlap", "1 day"],
    ["partner", "add", "p", "--name", "P", "--signing-secret", "a secret on the command line"],
    ["partner", "add", "p", "--name", "P", "--rate-capacity", "5"],
  ];
  const refusals = await Promise.all(wrong.map((args) => run(args)));
  for (const [index, { code, stderr }] of refusals.entries()) {
    assert.equal(code, 2, wrong[index]?.join(" "));
    assert.match(stderr, /^error: /);
    assert.doesNotMatch(stderr, /\n {4}at /);
  }
  const json = await run(["migrate", "--chekc", "--json"]);
  assert.equal(json.code, 2);
  assert.equal(json.stdout, "");
  const { code, message, advice } = errorIn(json);
  assert.deepEqual([code, message], ["usage", "unknown option '--chekc' (Did you mean --check?)"]);
  assert.match(advice ?? "", /migrate --help/);
});

test("every problem of the configuration at once, without values", async () => {
  const env = { PORT: "eighty", TICKETING_URL: "ftp://hidden", PARTNERS_JSON: "[{}]", LEASE_SECS: "1" };
  for (const command of [["serve"], ["order", "list"], ["migrate"]]) {
    const { code, stderr } = await run(command, { env });
    assert.equal(code, 2);
    assert.match(stderr, /^error: the configuration can't be used:\n/);
    for (const name of [
      "PORT",
      "TICKETING_URL",
      "PARTNERS_JSON[0].id",
      "PARTNERS_JSON[0].token",
      "LEASE_SECS",
    ]) {
      assert.ok(stderr.includes(`\n  ${name} `), `${name} in ${stderr}`);
    }
    assert.doesNotMatch(stderr, /hidden|eighty/);
  }
  const json = errorIn(await run(["migrate", "--json"], { env: { PORT: "eighty" } }));
  assert.deepEqual(json.problems, ["PORT must be a whole number from 0 to 65535"]);
});

test("LOG_LEVEL=debug adds the stack", async () => {
  const { stderr } = await run(["order", "list"], {
    env: { LOG_LEVEL: "debug", DATABASE_URL: "sqlite:////nowhere/gateway.db" },
  });
  assert.match(stderr, /^error: there is no database at \/nowhere\/gateway\.db\n[\s\S]*\n {4}at /);
});

test("a reader that closes early is no failure", async () => {
  const { child, ended } = start(["--help"]);
  child.stdout?.destroy();
  const { code, stderr } = await ended;
  assert.deepEqual([code, stderr], [0, ""]);
});
