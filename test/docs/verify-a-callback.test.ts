import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { after, suite, test } from "node:test";
import { callbackCases, exampleIn } from "./callback-cases.ts";

type IsGenuine = (
  headers: Readonly<Record<string, string>>,
  body: Buffer,
  secrets: readonly string[],
  nowSecs?: number,
) => boolean;

suite("docs/verify-a-callback.md, the TypeScript example", async () => {
  const directory = mkdtempSync(join(tmpdir(), "wavegate-example-"));
  after(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, "verify.ts");
  writeFileSync(file, exampleIn("typescript"));
  // oxlint-disable-next-line import/no-dynamic-require -- the file has just been written
  const { isGenuine } = (await import(pathToFileURL(file).href)) as { isGenuine: IsGenuine };

  for (const { name, headers, body, secret, nowSecs, genuine } of callbackCases()) {
    test(`${name}: ${genuine ? "genuine" : "refused"}`, () => {
      assert.equal(isGenuine(headers, body, [secret], nowSecs), genuine);
      assert.equal(isGenuine(headers, body, ["another secret", secret], nowSecs), genuine);
      assert.equal(isGenuine(headers, body, [], nowSecs), false);
    });
  }

  test("without a time of its own it goes by the clock", () => {
    const { headers, body, secret } = callbackCases().find(({ name }) => name === "the document's own")!;
    assert.equal(isGenuine(headers, body, [secret]), false);
  });
});
