import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { curlOf, withoutSecrets } from "../../console/src/format/curl.ts";
import { prettyJson } from "../../console/src/format/json-text.ts";
import { shellQuote } from "../../console/src/format/shell-quote.ts";
import { visible } from "../../console/src/format/visible.ts";

test("a shell reads back what was quoted, whatever it is", () => {
  const texts = [
    "EXT-42",
    "",
    "it's",
    "''",
    `"$HOME" \`id\` $(id) !! \\ ~ * ? [a] {b,c} #`,
    "a\nb\n",
    "@/etc/passwd",
    "-H",
    `{"name":"O'Neil","note":"\\u0027"}`,
    "ตั๋ว 🎟",
  ];
  const script = `printf '%s|' ${texts.map(shellQuote).join(" ")}`;
  const read = execFileSync("sh", ["-c", script], { encoding: "utf8" });
  assert.equal(read, texts.map((text) => `${text}|`).join(""));
});

test("what can't be seen in a terminal doesn't get there", () => {
  assert.equal(shellQuote("a\u001b[201~'b\\"), String.raw`$'a\033[201~\'b\\'`);
  assert.equal(shellQuote("x\u202egpj\n"), String.raw`$'x\342\200\256gpj\n'`);
  assert.equal(shellQuote("a\u0000b"), "ab");
});

test("a request as curl: exact, and without secrets", () => {
  const url = withoutSecrets("https://user:secret@ota.example.com/back?key=secret&day=1");
  assert.equal(url, "https://<masked>@ota.example.com/back?key=<masked>&day=<masked>");
  assert.equal(
    curlOf({ url, headers: { "webhook-signature": "<signature>" }, body: `{"note":"it's"}` }),
    String.raw`curl --globoff --request POST 'https://<masked>@ota.example.com/back?key=<masked>&day=<masked>' \
  --header 'webhook-signature: <signature>' \
  --data-raw '{"note":"it'\''s"}'`,
  );
  // Longer than what a command takes as an argument.
  const long = `{"note":"${"x'".repeat(120_000)}"}`;
  const piped = curlOf({ url: "https://ota.example.com/", headers: {}, body: long });
  const script = piped.replace(/\| curl[^|]*$/s, "");
  assert.equal(execFileSync("sh", { input: script, encoding: "utf8" }), long);
});

test("JSON is made readable token by token: nothing changes, nothing is lost", () => {
  const text = `{"id":12345678901234567890,"a":[],"a":[1.10,{"b":"x, {y}: \\"z\\""}],"cut":"off`;
  const pretty = prettyJson(text);
  assert.equal(
    pretty,
    `{
  "id": 12345678901234567890,
  "a": [],
  "a": [
    1.10,
    {
      "b": "x, {y}: \\"z\\""
    }
  ],
  "cut": "off`,
  );
  assert.equal(prettyJson("<html>"), null);
  assert.equal(visible("a\u202eb\u0007\n"), "a\\u202eb\\u0007\n");
});
