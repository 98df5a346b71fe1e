import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, suite, test } from "node:test";
import { callbackCases, exampleIn } from "../docs/callback-cases.ts";

const directory = mkdtempSync(join(tmpdir(), "wavegate-example-"));
after(() => rmSync(directory, { recursive: true, force: true }));

function fileWith(name: string, text: string | Buffer): string {
  const file = join(directory, name);
  writeFileSync(file, text);
  return file;
}

/** Exit codes: 0 genuine, 1 not; anything else, or a word on stderr, is a fault of the example. */
function outcome(command: string, args: readonly string[], input: Buffer): boolean {
  // From a file, as a program that has refused before may not read it.
  const stdin = openSync(fileWith("body", input), "r");
  const { status, stderr, error } = spawnSync(command, args, {
    stdio: [stdin, "pipe", "pipe"],
    encoding: "utf8",
  });
  closeSync(stdin);
  if (error) throw error;
  assert.equal(stderr, "");
  assert.ok(status === 0 || status === 1, `exit code ${status}`);
  return status === 0;
}

suite("docs/verify-a-callback.md, the Python example", () => {
  const driver = `
import json
import sys
given = json.loads(sys.argv[1])
body = sys.stdin.buffer.read()
sys.exit(0 if is_genuine(given["headers"], body, given["secrets"], given["now"]) else 1)
`;
  const file = fileWith("verify.py", exampleIn("python") + driver);
  for (const { name, headers, body, secret, nowSecs, genuine } of callbackCases()) {
    test(`${name}: ${genuine ? "genuine" : "refused"}`, () => {
      for (const secrets of [[secret], ["another secret", secret]]) {
        const given = JSON.stringify({ headers, secrets, now: nowSecs });
        assert.equal(outcome("python3", [file, given], body), genuine);
      }
    });
  }
});

suite("docs/verify-a-callback.md, the bash example", () => {
  const file = fileWith("verify-callback.sh", exampleIn("bash"));
  for (const { name, headers, body, secret, nowSecs, genuine } of callbackCases()) {
    test(`${name}: ${genuine ? "genuine" : "refused"}`, () => {
      const given = ["id", "timestamp", "signature"].map((field) => headers[`webhook-${field}`] ?? "");
      assert.equal(outcome("bash", [file, ...given, secret, String(nowSecs)], body), genuine);
    });
  }
});
