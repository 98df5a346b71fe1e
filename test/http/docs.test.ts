import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, suite, test } from "node:test";
import { renderDocs } from "../../src/http/docs-page.ts";
import { type Door, openDoor } from "./door.ts";

type Document = Parameters<typeof renderDocs>[0];

suite("GET /docs", () => {
  let door: Door;
  let html: string;
  let policy: string;
  let document: Document;
  before(async () => {
    door = await openDoor();
    const reply = await door.app.inject("/docs");
    assert.equal(reply.statusCode, 200);
    assert.equal(reply.headers["content-type"], "text/html; charset=utf-8");
    html = reply.body;
    policy = String(reply.headers["content-security-policy"]);
    assert.equal(reply.headers["cross-origin-opener-policy"], "same-origin");
    document = (await door.app.inject("/openapi.json")).json<Document>();
  });
  after(() => door.close());

  const attributes = (name: string) =>
    [...html.matchAll(new RegExp(`<[^>]*\\s${name}="([^"]*)"`, "g"))].map(([, value]) => value!);

  test("the policy allows the page's own style alone", () => {
    const [, style = ""] = /<style>([\s\S]*?)<\/style>/.exec(html) ?? [];
    const digest = createHash("sha256").update(style).digest("base64");
    assert.deepEqual(policy.split("; ").toSorted(), [
      "base-uri 'none'",
      "default-src 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      `style-src 'sha256-${digest}'`,
    ]);
    assert.doesNotMatch(style, /url\(|@import/);
  });

  test("there is no script, and nothing that would load something", () => {
    assert.doesNotMatch(html, /<(?:script|img|link|iframe|object|embed|base|form)\b/i);
    assert.doesNotMatch(html, /<[^>]*\s(?:on\w+|style|src)=/i);
  });

  test("every link leads to a place in the page, or to the document beside it", () => {
    const ids = attributes("id");
    assert.equal(new Set(ids).size, ids.length, "an id twice");
    const links = attributes("href");
    assert.ok(links.length > 50);
    const within = links.filter((link) => link.startsWith("#"));
    assert.deepEqual(new Set(links).difference(new Set(within)), new Set(["openapi.json"]));
    assert.deepEqual(
      within.filter((link) => !ids.includes(link.slice(1))),
      [],
    );
    // Also where a proxy puts all of it below a path.
    const { href } = new URL("openapi.json", "https://gateway.example.com/tickets/docs");
    assert.equal(href, "https://gateway.example.com/tickets/openapi.json");
  });

  test("it tells of every operation, field and problem", () => {
    const all = [...Object.values(document.paths), ...Object.values(document.webhooks)].flatMap((item) =>
      Object.values(item),
    );
    const ids = new Set(attributes("id"));
    for (const { operationId } of all) assert.ok(ids.has(operationId), operationId);
    for (const text of ["items[].unit_price_minor", "ticketing_job.attempts[].code", "webhook-signature"]) {
      assert.ok(html.includes(`<code>${text}</code>`), text);
    }
    for (const kind of ["rate-limited", "invalid-callback-url", "key-reused", "not-possible"])
      assert.ok(ids.has(`problem-${kind}`), kind);
  });

  test("what a description says stays text", () => {
    const hostile = `<script>alert("1")</script> & 'x'`;
    const shown = renderDocs({
      ...document,
      info: { ...document.info, title: hostile, description: hostile },
    });
    assert.doesNotMatch(shown, /<script/i);
    assert.match(shown, /&#60;script&#62;/);
  });
});

test("it is open as /openapi.json is, on a development server as well, and not served where only probes are", async () => {
  for (const [options, status] of [
    [{ development: true }, 200],
    [{ probesOnly: true }, 404],
  ] as const) {
    const door = await openDoor(options);
    const replies = await Promise.all(["/docs", "/openapi.json"].map((path) => door.app.inject(path)));
    await door.close();
    assert.deepEqual(
      replies.map(({ statusCode }) => statusCode),
      [status, status],
    );
  }
});
