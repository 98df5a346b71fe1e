import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type IncomingMessage, request as send } from "node:http";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { pathToFileURL } from "node:url";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { readConsoleFiles } from "../../src/http/console-files.ts";
import { type Door, openDoor } from "./door.ts";

const HTML = `<!doctype html><head><base href="./" /><meta property="csp-nonce" nonce="" />
<link rel="stylesheet" href="./assets/index-1.css"></head><body></body>`;
const SCRIPT = "console.log(1);\n".repeat(500);

function plant(directory: string): void {
  mkdirSync(join(directory, "assets"));
  mkdirSync(join(directory, ".vite"));
  const files = { "assets/index-1.js": SCRIPT, "assets/face-1.woff2": "binary", ".vite/manifest.json": "{}" };
  for (const [name, text] of Object.entries({ ...files, "index.html": HTML }))
    writeFileSync(join(directory, name), text);
}

suite("the console's files", () => {
  let door: Door;
  let origin: URL;
  const directory = mkdtempSync(join(tmpdir(), "wavegate console-"));
  before(async () => {
    door = await openDoor({ readConsole: () => readConsoleFiles(pathToFileURL(`${directory}/`)) });
    origin = new URL(await door.app.listen({ host: "127.0.0.1", port: 0 }));
  });
  after(async () => {
    await door.close();
    rmSync(directory, { recursive: true });
  });

  /** Sends the path as it is written here: `fetch` would tidy it up. */
  async function ask(path: string, headers: Record<string, string> = {}, method = "GET") {
    const request = send({ host: origin.hostname, port: origin.port, path, headers, method }).end();
    const [response] = (await once(request, "response")) as [IncomingMessage];
    return {
      status: response.statusCode,
      headers: response.headers,
      body: Buffer.concat(await response.toArray()),
    };
  }
  const baseIn = (html: Buffer) => /<base href="([^"]*)"/.exec(html.toString())?.[1] ?? assert.fail();

  test("a console that isn't built says how to build it, and all else is served", async () => {
    for (const path of ["/console/", "/console/orders/1", "/console/assets/index-1.js"]) {
      const { status, headers, body } = await ask(path);
      assert.deepEqual([status, headers["content-type"]], [503, "application/problem+json"]);
      assert.match(body.toString(), /not built; in a checkout, `npm ci` without --omit=dev does it/);
    }
    assert.equal((await ask("/health")).status, 200);
    plant(directory);
    assert.equal((await ask("/console/")).status, 200, "built meanwhile");
  });

  test("the page is the same wherever it is opened, and finds the way back to its own place", async () => {
    const { status, headers } = await ask("/console?q=TK-1");
    assert.deepEqual([status, headers.location], [307, "console/?q=TK-1"]);

    const deep = `/console/${"a/".repeat(200)}`;
    const odd = [
      "//",
      "/a//b",
      "/%2e%2e/",
      "/a%2fb",
      "/a%2Fb/c",
      "/..%5c..%5c",
      "/%00",
      "/assets",
      `/${"x".repeat(400)}`,
    ];
    const paths = ["/", "/?q=a/b/c", "/orders/42", "/orders/123456?tab=audit", ...odd].map(
      (path) => `/console${path}`,
    );
    for (const path of [...paths, deep]) {
      const page = await ask(path);
      assert.equal(page.status, 200, path);
      const raw = new URL(`http://gateway.example.com/tickets${path.replaceAll("%2e", "e")}`);
      const base = new URL(baseIn(page.body), raw);
      assert.equal(base.pathname, "/tickets/console/", path);
      assert.equal(page.headers["cache-control"], "no-store");
      assert.equal(page.headers["content-type"], "text/html; charset=utf-8");
    }
    assert.equal((await ask(`/console/${"a/".repeat(300)}`)).status, 404);
    assert.equal((await ask("/console/%zz")).status, 404);
    assert.equal((await ask("/consoles")).status, 404);
    assert.equal((await ask("/admin/nowhere")).headers["content-type"], "application/problem+json");
    assert.equal((await ask("/console/", {}, "POST")).status, 405);
  });

  test("the policy allows the gateway's own files alone, and the page's nonce, new each time", async () => {
    const policies = new Set<string>();
    for (let n = 0; n < 2; n += 1) {
      const { headers, body } = await ask("/console/");
      const policy = String(headers["content-security-policy"]);
      const [, nonce = ""] = /<meta property="csp-nonce" nonce="([\w-]{22})"/.exec(body.toString()) ?? [];
      assert.deepEqual(policy.split("; "), [
        "default-src 'none'",
        "script-src 'self'",
        `style-src 'self' 'nonce-${nonce}'`,
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
      ]);
      assert.equal(headers["cross-origin-opener-policy"], "same-origin");
      assert.equal(headers["x-content-type-options"], "nosniff");
      policies.add(policy);
    }
    assert.equal(policies.size, 2);
  });

  test("an asset is kept for ever, in the coding that is asked for", async () => {
    const codings: [accepted: string, coding: string | undefined, decode: (body: Buffer) => Buffer][] = [
      ["gzip, deflate, br, zstd", "br", brotliDecompressSync],
      ["br;q=0, GZIP;q=0.5", "gzip", gunzipSync],
      ["", undefined, (body) => body],
    ];
    for (const [accepted, coding, decode] of codings) {
      const { status, headers, body } = await ask("/console/assets/index-1.js", {
        "accept-encoding": accepted,
      });
      assert.deepEqual([status, headers["content-encoding"]], [200, coding]);
      assert.equal(decode(body).toString(), SCRIPT);
      assert.equal(Number(headers["content-length"]), body.length);
      assert.equal(headers["cache-control"], "public, max-age=31536000, immutable");
      assert.deepEqual(
        [headers.vary, headers["content-type"]],
        ["accept-encoding", "text/javascript; charset=utf-8"],
      );
    }
    const head = await ask("/console/assets/index-1.js", { "accept-encoding": "br" }, "HEAD");
    assert.deepEqual([head.status, head.body.length, head.headers["content-encoding"]], [200, 0, "br"]);
    const face = await ask("/console/assets/face-1.woff2", { "accept-encoding": "br" });
    assert.deepEqual(
      [face.headers["content-type"], face.headers["content-encoding"]],
      ["font/woff2", undefined],
    );
    const others = [
      "x.js",
      "../index.html",
      "..%2findex.html",
      "../.vite/manifest.json",
      "",
      "%2e%2e/index.html",
    ];
    for (const name of others) {
      const { status, headers } = await ask(`/console/assets/${name}`);
      assert.deepEqual([status, headers["cache-control"]], [404, "no-store"], name);
    }
  });

  test("a process that only works jobs has no console", async (t) => {
    const works = await openDoor({ probesOnly: true });
    t.after(() => works.close());
    assert.equal((await works.app.inject("/console/")).statusCode, 404);
  });

  test("under --dev it is for this machine alone", async (t) => {
    const development = await openDoor({ development: true });
    t.after(() => development.close());
    const headers = { host: "gateway.example.com" };
    assert.equal((await development.app.inject({ url: "/console/", headers })).statusCode, 403);
  });
});
