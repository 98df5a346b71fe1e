import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fittedTable } from "../../src/commands/cli/fitted-table.ts";
import { brief, plain, table, toJson } from "../../src/commands/cli/output.ts";
import { parseDuration, relative, span } from "../../src/commands/cli/time.ts";

// oxlint-disable-next-line no-control-regex
const UNSAFE = /[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/;

test("escape sequences and control characters never reach a terminal", () => {
  assert.equal(plain("\u001b[31mred\u001b[0m"), "red");
  assert.equal(plain("\u001b]0;title\u0007x"), "x");
  assert.equal(plain("\u009b2Jx"), "x");
  assert.equal(plain("two\r\nlines\tand\u0000 more\u0008"), "two lines and more");
  assert.equal(plain("invoice\u202Efdp.exe"), "invoicefdp.exe");
  assert.equal(plain("สมหญิง Étienne 東京"), "สมหญิง Étienne 東京");
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      assert.doesNotMatch(plain(text), UNSAFE);
      assert.ok(plain(text).isWellFormed());
      assert.doesNotMatch(toJson({ text }).replaceAll("\n", ""), UNSAFE);
      assert.deepEqual(JSON.parse(toJson({ text })), { text });
      assert.ok(brief(text, 10).length <= 10);
    }),
  );
});

test("columns align by what a terminal shows", () => {
  const rows = [
    ["1", "สมหญิง", "a"],
    ["22", "東京", "b"],
    ["333", "Zoë\u001b[2J", "c"],
  ];
  assert.equal(
    table(["ID", "NAME", "X"], rows, "  "),
    ["   ID  NAME   X", "    1  สมหญิง  a", "   22  東京   b", "  333  Zoë    c"].join("\n"),
  );
  assert.equal(table(["A"], []), "A");
});

test("a table fits its terminal, and says what it leaves out", () => {
  const head = ["ID", "NOTE", "PARTNER", "STATUS"];
  const rows = [["1", "n".repeat(60), "p", { text: "blocked", style: "red" as const }]];
  const fit = (columns?: number) => fittedTable(head, rows, { cut: "NOTE", drop: ["PARTNER"], columns });
  assert.equal(fit(), table(head, rows));
  assert.equal(fit(82), table(head, rows));
  const cut = fit(60);
  assert.match(cut, /^ 1 +n{37}… +p +blocked$/m);
  assert.ok(
    cut.split("\n").every((line) => line.length <= 60),
    cut,
  );
  const narrow = fit(40);
  assert.match(narrow, /^ID +NOTE +STATUS\n 1 +n{23}… +blocked\n\(no room for PARTNER: --json/);
  assert.equal(fittedTable(head, [], { drop: [], columns: 5 }), table(head, []));
});

test("durations", () => {
  assert.deepEqual(["0s", "30s", "15m", "24h", "7d"].map(parseDuration), [0, 30e3, 900e3, 86400e3, 604800e3]);
  for (const wrong of ["", "15", "1w", "-1s", "1.5h", "366d", "1 h", "9999999999s"]) {
    assert.throws(() => parseDuration(wrong), /Write it like/);
  }
  assert.deepEqual([5, 1500, 42_000, 303_000, 7_200_000, 90_000_000].map(span), [
    "5 ms",
    "1.5 s",
    "42 s",
    "5 min 3 s",
    "2 h",
    "1 d 1 h",
  ]);
  assert.equal(relative(1000, 3000), "2 s ago");
  assert.equal(relative(3000, 1000), "in 2 s");
});
