import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { CsvError, type CsvRow, MAX_CSV_RECORD_CHARS, readCsv } from "../../src/lib/csv.ts";
import { csvLine, guardFormula, unguardFormula } from "../../src/lib/csv-line.ts";

/** The bytes in pieces of the given length. */
async function* inPieces(bytes: Uint8Array, length: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

async function rowsOf(
  file: string | Uint8Array,
  { pieces = 1 << 16, delimiter = null as string | null, encoding = null as string | null } = {},
) {
  const bytes = typeof file === "string" ? new TextEncoder().encode(file) : file;
  const rows: CsvRow[] = [];
  for await (const row of readCsv(inPieces(bytes, pieces), { delimiter, encoding })) rows.push(row);
  return rows;
}

const cellsOf = async (...args: Parameters<typeof rowsOf>) =>
  (await rowsOf(...args)).map((row) => row.cells.join("¦"));

suite("reading CSV", () => {
  test("line ends, blank lines, quotes, and where each record begins", async () => {
    const file = 'a,b\r\n\r\n1,"x\r\ny ""z"""\n"",\n\n2,5" nails\r3,last';
    const expected = [
      { line: 1, cells: ["a", "b"] },
      { line: 3, cells: ["1", 'x\r\ny "z"'] },
      { line: 5, cells: ["", ""] },
      { line: 7, cells: ["2", '5" nails'] },
      { line: 8, cells: ["3", "last"] },
    ];
    for (const pieces of [1, 2, 3, 1000]) assert.deepEqual(await rowsOf(file, { pieces }), expected);
  });

  test("a line ends once, also inside quotes, at CR, LF or both", async () => {
    const rows = await rowsOf('a\n"x\ry\nz\r\n",\nlast');
    assert.deepEqual(
      rows.map((row) => row.line),
      [1, 2, 6],
    );
  });

  test("the delimiter is told from the first record, not from what is quoted in it", async () => {
    assert.deepEqual(await cellsOf('"a,b,c";d\n1;2\n'), ["a,b,c¦d", "1¦2"]);
    assert.deepEqual(await cellsOf("a\tb\n1,5\t2\n"), ["a¦b", "1,5¦2"]);
    assert.deepEqual(await cellsOf("\r\nsep=;\r\na;b,c\r\n"), ["a¦b,c"]);
    assert.deepEqual(await cellsOf("a|b\n", { pieces: 1 }), ["a¦b"]);
    assert.deepEqual(await cellsOf("one\ntwo"), ["one", "two"]);
    assert.deepEqual(await cellsOf("a^b;c\n", { delimiter: "^" }), ["a¦b;c"]);
    assert.deepEqual(await cellsOf(""), []);
  });

  test("byte order marks and encodings", async () => {
    assert.deepEqual(await cellsOf("\ufeffa,ä\n", { pieces: 1 }), ["a¦ä"]);
    const utf16 = Buffer.from("\ufeffa;ä\r\n", "utf16le");
    assert.deepEqual(await cellsOf(utf16, { pieces: 1 }), ["a¦ä"]);
    assert.deepEqual(await cellsOf(Buffer.from(utf16).swap16()), ["a¦ä"]);
    const latin = Buffer.from("a,ä\n", "latin1");
    assert.deepEqual(await cellsOf(latin, { encoding: "windows-1252" }), ["a¦ä"]);
    await assert.rejects(rowsOf(latin), /^CsvError: line 1: here or below are bytes that aren't utf-8/);
    await assert.rejects(rowsOf(Buffer.from("a;b", "utf16le")), /NUL: is it UTF-16/);
  });

  test("what can't be read names its line", async () => {
    const cases: [string, string][] = [
      ['a\n"b" c\n', "line 2: text after a closing quote"],
      ['a\n\n"b\n', "line 3: the quote that begins here is never closed"],
      [`a\n${"x".repeat(MAX_CSV_RECORD_CHARS + 1)}`, "line 2: a record of more than"],
      [",".repeat(2000), "line 1: more than 1000 columns"],
    ];
    for (const [file, words] of cases) {
      await assert.rejects(rowsOf(file, { delimiter: "," }), (error) => {
        assert.ok(error instanceof CsvError && error.message.startsWith(words), String(error));
        return true;
      });
    }
  });
});

/** Texts that are dense in what matters. */
const text = fc.string({
  unit: fc.constantFrom(..."=+-@'\"\t\r\n,;| ａ＝＠x9é".split("")),
  maxLength: 12,
});

suite("writing CSV", () => {
  test("what is written is read back, however it is cut", async () => {
    const table = fc.array(fc.array(text, { minLength: 2, maxLength: 4 }), { maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(table, fc.integer({ min: 1, max: 50 }), async (records, pieces) => {
        const file = records.map(csvLine).join("");
        const rows = await rowsOf(file, { pieces, delimiter: "," });
        assert.deepEqual(
          rows.map((row) => row.cells.map(unguardFormula)),
          records,
        );
      }),
    );
  });

  test("no cell begins with a formula, whichever delimiter a spreadsheet takes", () => {
    const begins = /(^|[,;|\t\r\n"])[ "]*[=+\-@\uff1d\uff0b\uff0d\uff20]/;
    fc.assert(
      fc.property(text, (given) => {
        assert.doesNotMatch(guardFormula(given), begins);
        assert.equal(unguardFormula(guardFormula(given)), given);
      }),
    );
  });

  test("guards as OWASP says, quotes as RFC 4180 says, leaves numbers numbers", () => {
    const line = csvLine([
      "=1+1",
      "-2",
      -2,
      { number: "-2.50" },
      "x;=1",
      'a "b"',
      " pad",
      null,
      "A-1",
      "@",
      "\tx",
    ]);
    assert.equal(line, `"'=1+1","'-2",-2,-2.50,"x;'=1","a ""b"""," pad",,A-1,"'@","'\tx"\r\n`);
  });
});
