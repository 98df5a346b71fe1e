import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { type JsonRefusal, parseStrictJson } from "../../src/lib/strict-json.ts";

function refused(bytes: Uint8Array | string): JsonRefusal {
  const result = parseStrictJson(bytes);
  assert.equal(result.ok, false, "should have been refused");
  return result;
}

function accepted(text: string | Uint8Array, plainIntegersAt?: string[][]) {
  const result = parseStrictJson(text, plainIntegersAt === undefined ? {} : { plainIntegersAt });
  assert.ok(result.ok, result.ok ? "" : result.detail);
  return result;
}

const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);

describe("strict JSON: what is refused", () => {
  const cases: readonly [name: string, text: string | Uint8Array, pointer: string, detail: RegExp][] = [
    ["an empty text", "", "", /line 1, column 1: the text is empty/i],
    ["blanks alone", " \n ", "", /empty/],
    ["a byte order mark", Buffer.from([0xef, 0xbb, 0xbf, 0x7b, 0x7d]), "", /byte order mark/],
    ["invalid UTF-8", Buffer.from([0x22, 0xff, 0x22]), "", /UTF-8/],
    ["an overlong encoding", Buffer.from([0x22, 0xc0, 0xaf, 0x22]), "", /UTF-8/],
    ["an encoded surrogate", Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]), "", /UTF-8/],
    ["a duplicate name", '{"a":{"b":1,"b":2}}', "/a/b", /column 13: this name appears twice/],
    ["a duplicate name, escaped", '[{"a":1,"\\u0061":2}]', "/0/a", /twice/],
    ["a duplicate among others", '{"x":[1,{"q":{},"r":[],"q":0}]}', "/x/1/q", /twice/],
    ["__proto__", '{"a":[0,{"__proto__":1}]}', "/a/1/__proto__", /not allowed/],
    ["__proto__, escaped", '{"\\u005f_proto__":1}', "/__proto__", /not allowed/],
    [
      "constructor.prototype",
      '{"constructor":{"a":1,"prototype":{}}}',
      "/constructor/prototype",
      /not allowed/,
    ],
    ["half a pair, escaped", '{"a":["\\ud83d"]}', "/a/0", /surrogate/],
    ["half a pair before a whole one", '{"a":"\\ud83d😀"}', "/a", /surrogate/],
    ["a reversed pair", '["\\ude00\\ud83d"]', "/0", /surrogate/],
    ["half a pair, raw", '["a\ud83d"]', "/0", /surrogate/],
    ["half a pair in a name", '{"a":{"\\udead":1}}', "/a", /surrogate/],
    ["an overflowing number", '{"a":1,"b":[1e400]}', "/b/0", /too large/],
    ["a negative overflow", "[-1e309]", "/0", /too large/],
    ["an overflow in digits", `[${"9".repeat(400)}]`, "/0", /too large/],
    ["nesting over 32", nested(33), "/0".repeat(32), /deeper than 32/],
    ["pointer escapes", '{"a/b~c":{"k":1,"k":1}}', "/a~1b~0c/k", /twice/],
    ["an overlong pointer", `{"a":{"${"n".repeat(300)}":[1e999]}}`, "/a", /too large/],
    ["a trailing comma", '{"a":[1,]}', "/a/1", /column 9: a JSON value is missing/],
    ["line and column", '{\n  "a": 1,\n  b: 2\n}', "/a", /line 3, column 3: a member name/i],
    ["a second value", "{} {}", "", /column 4: nothing may follow/],
  ];
  for (const [name, text, pointer, detail] of cases) {
    test(name, () => {
      const refusal = refused(text);
      assert.equal(refusal.pointer, pointer);
      assert.match(refusal.detail, detail);
    });
  }

  // Separated by bars.
  const malformed =
    '[|{|]|}|,|:|[1 2]|[1,,2]|[,1]|[1}|{"a"}|{"a":}|{"a" 1}|{,}|{"a":1,}|{"a":1 "b":2}|{"a":1]|{"a":1,"b"|{a:1}' +
    "|{'a':1}|{1:1}|01|-01|-|+1|1.|.5|1e|1e+|0x10|1_000|NaN|Infinity|-Infinity|undefined|nul|True|" +
    '"a|"\\x"|"\\u12g4"|"\\u123"|"\\|"\u0001"|"\t"|/**/1|1//|[1] ]|"a"b|\u00a01|\u2028|\ufeff1|1\u0000|[1\v]';
  test("what RFC 8259 refuses", () => {
    for (const text of malformed.split("|")) {
      assert.throws(() => JSON.parse(text) as unknown, text);
      assert.match(refused(text).detail, /^Line 1, column/);
    }
  });

  test("no refusal quotes the content", () => {
    const secret = "Zaphod";
    for (const text of [`{"a":${secret}}`, `{"a":"${secret}\n"}`, `["${secret}\\ud800"]`, `[1]${secret}`]) {
      assert.doesNotMatch(JSON.stringify(refused(text)), /Zaphod/);
    }
  });
});

describe("strict JSON: what is accepted", () => {
  test("32 levels, scalars, blanks, whole pairs, harmless names", () => {
    for (const text of [
      nested(32),
      "null",
      ' "\\ud83d\\ude00😀\\u0000\\ufeff" ',
      "\r\n\t -0.5e-3 ",
      '{"constructor":1,"prototype":{"constructor":[{"prototype":1}]}}',
      '{"a":{"a":{"a":[{"a":1},{"a":1}]}}}',
    ]) {
      assert.deepEqual(accepted(text).value, JSON.parse(text));
    }
  });

  test("bytes in the middle of a larger buffer", () => {
    assert.deepEqual(accepted(Buffer.from('xx{"a":"é"}yy').subarray(2, -2)).value, { a: "é" });
  });

  test("members are the source texts of a top-level object's values", () => {
    const { members } = accepted('{ "a" : 1.0 ,"\\u0062":[ 1, {"x":2} ] , "c":"\\u0041", "d": {"a" : 3}\n}');
    assert.deepEqual(Object.fromEntries(members), {
      a: "1.0",
      b: '[ 1, {"x":2} ]',
      c: '"\\u0041"',
      d: '{"a" : 3}',
    });
    assert.equal(accepted('[{"a":1}]').members.size, 0);
    assert.equal(accepted("1").members.size, 0);
  });

  test("numbers that a double doesn't carry are reported", () => {
    const exact =
      "0 -0 1.0 1e2 0.1 9007199254740992 1e300 5e-324 100000000000000000000 0.10 1.7976931348623157e308 0e999 " +
      "1e-2 10E-3 -1e-2 15.0e-1 1e-7";
    const inexact =
      "9007199254740993 12345678901234567890 0.1000000000000000055 1e-400 3e-324 -1.00000000000000000001";
    for (const number of exact.split(" "))
      assert.equal(accepted(`[${number}]`).inexactNumbers, false, number);
    for (const number of inexact.split(" "))
      assert.equal(accepted(`[${number},1]`).inexactNumbers, true, number);
  });

  test("numbers not written as plain integers are reported where asked", () => {
    const numbers = "0 7 120 9007199254740993 1.0 1e2 -0 -1 0.5 1E0".split(" ");
    const items = numbers.map((number) => `{"qty":${number},"other":1.0}`).join();
    const { notPlainIntegers } = accepted(`{"qty":1.0,"items":[${items}]}`, [["items", "*", "qty"]]);
    assert.deepEqual(
      notPlainIntegers,
      [4, 5, 6, 7, 8, 9].map((index) => `/items/${index}/qty`),
    );
    assert.equal(accepted(`[${"1.0,".repeat(1000)}1]`, [["*"]]).notPlainIntegers.length, 20);
  });
});

describe("strict JSON: properties", () => {
  const json = fc
    .json({ maxDepth: 6 })
    .filter((text) => !text.includes("__proto__") && !NAME_WITH_ESCAPE.test(text));

  test("agrees with JSON.parse on valid JSON", () => {
    fc.assert(
      fc.property(json, fc.constantFrom("", " ", 2), (text, indent) => {
        const spaced = JSON.stringify(JSON.parse(text), null, indent);
        assert.deepEqual(accepted(spaced).value, JSON.parse(spaced));
        assert.deepEqual(accepted(Buffer.from(spaced)).value, JSON.parse(spaced));
      }),
      { numRuns: 500 },
    );
  });

  test("on damaged JSON, accepts exactly what JSON.parse and the rules accept", () => {
    const piece = fc.constantFrom(
      ...'{ } [ ] , : " \\ 0 1 - . e E + a \\u00 \\ud800 \\udc00 null "a": {} \n \t \u0001 1e400 "__proto__":1'.split(
        / /,
      ),
    );
    const damaged = fc
      .tuple(json, fc.nat(), fc.nat(3), fc.array(piece, { maxLength: 3 }))
      .map(([text, where, gone, pieces]) => {
        const at = where % (text.length + 1);
        return text.slice(0, at) + pieces.join("") + text.slice(at + gone);
      });
    fc.assert(
      fc.property(damaged, (text) => {
        const result = parseStrictJson(text);
        assert.equal(result.ok, oracle(text));
        if (!result.ok) assert.match(result.detail, /^Line/, "the walk itself finds it");
      }),
      { numRuns: 3000 },
    );
  });

  test("members put together again are the same object", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })), (object) => {
        const text = JSON.stringify(object);
        fc.pre(!text.includes("__proto__") && !NAME_WITH_ESCAPE.test(text));
        const again = [...accepted(text).members].map(
          ([name, source]) => `${JSON.stringify(name)}:${source}`,
        );
        assert.equal(`{${again.join()}}`, text);
      }),
      { numRuns: 300 },
    );
  });

  test("arbitrary bytes never throw", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        assert.equal(typeof parseStrictJson(bytes).ok, "boolean");
      }),
      { numRuns: 500 },
    );
  });
});

describe("strict JSON: hostile sizes", () => {
  const mib = 1024 * 1024;
  const manyNames = Array.from({ length: 200_000 }, (_, index) => `"${index.toString(36)}":1`);

  test("deep nesting is refused before anything is built", () => {
    for (const text of ['{"a":'.repeat(mib / 20), "[".repeat(4 * mib), nested(100_000)]) {
      assert.match(refused(text).detail, /deeper/);
    }
    assert.ok(parseStrictJson(nested(100_000), { maxDepth: 100_000 }).ok);
  });

  test("many names, one of them twice at the end", () => {
    assert.equal(accepted(`{${manyNames.join()}}`).members.size, manyNames.length);
    assert.equal(refused(`{${manyNames.join()},"0":1}`).pointer, "/0");
  });

  test("long numbers, strings and names", () => {
    const zeros = "0".repeat(mib);
    assert.equal(accepted(`[0.${zeros}1]`).inexactNumbers, true);
    assert.equal(accepted(`[1.${zeros}]`).inexactNumbers, false);
    assert.equal(refused(`[1${zeros}]`).pointer, "/0");
    assert.equal(accepted(`"${"\\u0061".repeat(mib / 8)}"`).value, "a".repeat(mib / 8));
    assert.equal(refused(`{"${zeros}":[1.0,1e400]}`).pointer, "");
  });
});

/** Of these JSON.parse itself is no judge: Node 24's takes one such name for another (see parseByTokens). */
const NAME_WITH_ESCAPE = /"[^"\\]*\\(?:[^"\\]|\\.)*"\s*:/;

/** Section 3's rules in another way: by patterns over text that JSON.parse takes, and over its value. */
function oracle(text: string): boolean {
  let value: unknown;
  const names: string[] = [];
  let fine = true;
  try {
    value = JSON.parse(text, function (this: object, name: string, inner: unknown): unknown {
      if (!Array.isArray(this)) names.push(name);
      if (name === "__proto__" || inner === Infinity || inner === -Infinity) fine = false;
      if (name === "constructor" && Object.hasOwn(Object(inner) as object, "prototype")) fine = false;
      return inner;
    });
  } catch {
    return false;
  }
  // The reviver sees one name, the empty one, for the value as a whole; a duplicate it sees once.
  const written = [...text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?/g)].filter((match) => match[1] !== undefined);
  if (written.length !== names.length - 1) return false;
  return fine && text.isWellFormed() && !/(?<!\\)(?:\\\\)*\\ud[89a-f]/.test(JSON.stringify(value));
}

test("names with escapes are kept apart, whatever was parsed before", () => {
  const names = ['"', "\\", "\n", "\t", "A", "é"];
  for (let round = 0; round < 3; round += 1) {
    for (const name of names) {
      const escaped = `\\u${name.charCodeAt(0).toString(16).padStart(4, "0")}`;
      for (const written of [JSON.stringify(name), `"${escaped}"`]) {
        const parsed = parseStrictJson(`{"t":"1","p":[{}, [1.5e1, true, null]],${written}:{"x":"}\\"]"}}`);
        assert.ok(parsed.ok);
        assert.deepEqual(parsed.value, { t: "1", p: [{}, [15, true, null]], [name]: { x: '}"]' } });
        assert.ok(parsed.members.has(name));
      }
    }
  }
});
