import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import type { Browser } from "playwright-core";
import { seriousFindings } from "../support/accessibility.ts";
import { browserUnderTest, DARK, launch, LIGHT, NARROW, openPage } from "../support/browser.ts";
import { madeOnce } from "../support/chromium.ts";
import { type Recorder, startRecorder } from "../support/recorder.ts";

const CSP = "default-src 'none'; script-src 'self'; style-src 'nonce-fresh'; img-src data:";

suite("what the browser tests notice by themselves", () => {
  let server: Recorder;
  let browser: Browser;
  const tested = browserUnderTest();
  before(async () => {
    [server, browser] = await Promise.all([startRecorder(), launch()]);
  });
  after(async () => {
    await browser.close();
    await server.close();
  });

  /** Shows a page under a strict CSP, and gives what is noticed in it. */
  async function open(body: string, script = "", look = LIGHT) {
    server.answer((response, { path }) => {
      if (path === "/missing") return response.writeHead(404).end();
      const isScript = path === "/script.js";
      response.writeHead(200, {
        "content-type": isScript ? "text/javascript" : "text/html; charset=utf-8",
        "content-security-policy": CSP,
      });
      const head = `<title>A page</title><link rel="icon" href="data:,"><style nonce="fresh">
        body { background: #fff; color: #111 } @media (prefers-color-scheme: dark) { body { color: #eee } }</style>`;
      return response.end(
        isScript
          ? script
          : `<!doctype html><html lang="en"><head>${head}</head><body><main><h1>Orders</h1>${body}</main>${script && '<script src="/script.js"></script>'}</body></html>`,
      );
    });
    const { page, troubles } = await openPage(browser, look);
    await page.goto(server.url);
    return { page, troubles };
  }

  for (const { name, body, script, expected } of [
    { name: "nothing where all is well", body: "<p>42</p>", script: "console.log('fine')", expected: [] },
    {
      name: "an inline script",
      body: "<script>alert(1)</script>",
      expected: [/^violates the CSP's script-src-elem: inline/, /^console error: .*inline script/],
    },
    { name: "an error told on the console", script: "console.error('oh')", expected: [/^console error: oh/] },
    { name: "a warning", script: "console.warn('well')", expected: [/^console warning: well/] },
    { name: "what nobody catches", script: "throw new Error('no')", expected: [/^uncaught: Error: no/] },
    {
      name: "a promise that nobody awaits",
      script: "Promise.reject(new Error('later'))",
      expected: [/^uncaught: Error: later/],
    },
    {
      name: "a way to another host, which it doesn't reach",
      script: "location = 'http://192.0.2.1/'",
      expected: [
        /^asks another host: http:\/\/192\.0\.2\.1\//,
        /192\.0\.2\.1\/ failed: net::ERR_NAME_NOT_RESOLVED/,
      ],
    },
    {
      name: "an answer that is an error",
      script: "location = '/missing'",
      expected: [/^console error: .*404 \(Not Found\)/],
    },
  ]) {
    test(name, async () => {
      const { page, troubles } = await open(body ?? "", script);
      for (let tries = 0; tries < 100 && troubles.length < expected.length; tries += 1)
        await page.waitForTimeout(20);
      await page.context().close();
      assert.equal(troubles.length, expected.length, troubles.join("\n"));
      for (const pattern of expected)
        assert.ok(
          troubles.some((trouble) => pattern.test(trouble)),
          `${pattern} is not in:\n${troubles.join("\n")}`,
        );
    });
  }

  test("and fail for it, but for what they bring about themselves", async (t) => {
    server.answer((response) => response.writeHead(404).end());
    const visit = async (expected: readonly RegExp[]): Promise<() => Promise<void>> => {
      let end = async (): Promise<void> => {};
      const told: string[] = [];
      const page = await tested.page(
        {
          name: t.name,
          passed: true,
          diagnostic: (text) => told.push(text),
          after: (hook) => (end = hook as typeof end),
        },
        { expected },
      );
      await page.goto(server.url);
      return end;
    };
    await assert.rejects(
      await visit([/something else/]),
      /^Error: the page had trouble:\n {2}console error: .*404/,
    );
    await (
      await visit([/404 \(Not Found\)/])
    )();
  });

  test("what keeps people out, in each theme and width, under a CSP that allows axe nothing", async () => {
    const button = '<button type="button"></button>';
    for (const [look, body, expected] of [
      [LIGHT, "<p>42</p>", []],
      [LIGHT, button, [/^critical button-name: .* at button <button type="button"><\/button>:/]],
      // #eee on white.
      [DARK, "<p>42</p>", [/^serious color-contrast: .* at h1/, /^serious color-contrast: .* at p/]],
      [NARROW, "<p>42</p>", []],
    ] as const) {
      const { page, troubles } = await open(body, "", look);
      const findings = await seriousFindings(page);
      assert.equal(findings.length, expected.length, findings.join("\n"));
      for (const [at, pattern] of expected.entries()) assert.match(findings[at]!, pattern);
      assert.equal(await page.evaluate("innerWidth"), look.viewport.width);
      assert.deepEqual(troubles, []);
      await page.context().close();
    }
  });
});

test("of those who unpack at once, everybody sees a whole one, and nothing else is left", async (t) => {
  const directory = await mkdtemp(join(tmpdir(), "wavegate-test-"));
  t.after(() => rm(directory, { recursive: true }));
  const target = join(directory, "made");
  let filling = 0;
  const fill = async (into: string): Promise<void> => {
    filling += 1;
    await writeFile(join(into, "one"), "1");
    assert.ok(!existsSync(target) || filling > 1, "seen before it was whole");
    await writeFile(join(into, "two"), "2");
  };
  await Promise.all([madeOnce(target, fill), madeOnce(target, fill)]);
  await madeOnce(target, async () => assert.fail("made again"));
  assert.deepEqual(readdirSync(directory), ["made"]);
  assert.deepEqual(readdirSync(target).toSorted(), ["one", "two"]);
  await assert.rejects(
    madeOnce(join(directory, "other"), async () => {
      throw new Error("no room");
    }),
    /no room/,
  );
  assert.deepEqual(readdirSync(directory), ["made"]);
});
