import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { parseStrictJson } from "../../src/lib/strict-json.ts";
import {
  breaksRules,
  isSameNumber,
  meant,
  numbersIn,
  readJson,
  valueOf,
  type Written,
} from "./reference-json.ts";
import { cases, createTally } from "./runs.ts";
import { words } from "./words.ts";

const PLAIN_AT = [["*"], ["*", "a"], ["a", "*", "__"]];
const limits = { plainIntegersAt: PLAIN_AT };

/** The same text read twice: by the code, and by RFC 8259 and SPEC section 3 in their plainest words. */
function judge(bytes: Uint8Array): "accepted" | "against the rules" | "no JSON" {
  const told = parseStrictJson(bytes, limits);
  const written = reference(bytes);
  const wanted = written !== null && !breaksRules(written);
  assert.equal(told.ok, wanted, told.ok ? "accepted" : told.detail);
  if (!told.ok) {
    assert.match(told.pointer, /^(?:\/(?:[^~/]|~[01])*)*$/);
    assert.ok(told.pointer.length <= 300 && told.detail.length <= 200);
    return written === null ? "no JSON" : "against the rules";
  }
  assert.ok(written !== null);
  assert.deepEqual(told.value, valueOf(written));
  assert.deepEqual([...told.members], membersOf(written));
  const numbers = [...numbersIn(written)];
  const isExact = numbers.every(({ source }) => isSameNumber(source, String(Number(source))));
  assert.equal(told.inexactNumbers, !isExact, "inexact numbers");
  const notPlain = numbers.filter(
    ({ path, source }) => isWatched(path) && !/^(?:0|[1-9][0-9]*)$/.test(source),
  );
  assert.equal(told.notPlainIntegers.length, Math.min(20, notPlain.length), "not plain integers");
  return "accepted";
}

function reference(bytes: Uint8Array): Written | null {
  try {
    // A BOM stays, and is no JSON.
    return readJson(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    return null;
  }
}

function membersOf(written: Written): [string, string][] {
  return written.kind === "object" ? written.members.map(([name, one]) => [meant(name), one.source]) : [];
}

function isWatched(path: readonly string[]): boolean {
  return PLAIN_AT.some(
    (at) => at.length === path.length && at.every((key, i) => key === "*" || key === path[i]),
  );
}

const blank = fc.constantFrom("", "", "", " ", "\n", "\t\r");
/** One character of a string in any of its spellings; several mean the same. */
const character = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.constantFrom(
      ...words("a a b _ ~ / é 😀"),
      "\\u0061",
      "\\u0041",
      "\\u005F",
      "_",
      "\\/",
      "\\n",
      "\\u000a",
    ),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom('\\"', "\\\\", "\\u0022", "\\u005c", "\\t", "\\u0000", "\\ud83d\\ude00"),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom("\\ud83d", "\\ude00", "\\uD800\\uD800", "\u2028", "\\u00e9", "\ufeff"),
  },
);
const stringText = fc.array(character, { maxLength: 3 }).map((parts) => `"${parts.join("")}"`);
const special = fc.constantFrom(
  "__proto__",
  "constructor",
  "prototype",
  "\\u005f_proto__",
  "constr\\u0075ctor",
);
const nameText = fc.oneof(
  { weight: 12, arbitrary: stringText },
  { weight: 1, arbitrary: special.map((name) => `"${name}"`) },
);
const digits = fc.stringMatching(/^[0-9]{1,22}$/);
const whole = fc.oneof(
  fc.constantFrom("0", "1", "7", "120", "9007199254740992"),
  digits.map((text) => `1${text}`),
);
const numberText = fc
  .tuple(
    fc.constantFrom("", "", "-"),
    whole,
    fc.oneof(
      { weight: 2, arbitrary: fc.constant("") },
      digits.map((text) => `.${text}`),
    ),
    fc.constantFrom("", "", "", "e0", "E+2", "e-3", "e300", "e308", "e309", "e-324", "e-400", "e-0"),
  )
  .map((parts) => parts.join(""));

const { value } = fc.letrec<{ value: string }>((tie) => {
  const inner = fc.tuple(blank, tie("value"), blank).map((parts) => parts.join(""));
  const member = fc
    .tuple(blank, nameText, blank, inner)
    .map(([before, name, after, one]) => `${before}${name}${after}:${one}`);
  return {
    value: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      { weight: 3, arbitrary: fc.oneof(numberText, stringText, fc.constantFrom("true", "false", "null")) },
      { weight: 3, arbitrary: fc.array(member, { maxLength: 4 }).map((members) => `{${members.join()}}`) },
      { weight: 2, arbitrary: fc.array(inner, { maxLength: 4 }).map((elements) => `[${elements.join()}]`) },
    ),
  };
});
const nested = fc
  .tuple(fc.array(fc.constantFrom("[", '{"a":', '{"constructor":'), { minLength: 28, maxLength: 36 }), value)
  .map(([opened, text]) => {
    const closed = opened.map((one) => (one === "[" ? "]" : "}")).toReversed();
    return opened.join("") + text + closed.join("");
  });

test("JSON in every spelling means what it says, or breaks a rule", (t) => {
  const tally = createTally();
  fc.assert(
    fc.property(fc.oneof({ weight: 9, arbitrary: value }, { weight: 1, arbitrary: nested }), (text) => {
      tally.add(judge(Buffer.from(text)));
    }),
    cases(4000),
  );
  tally.tell(t, "JSON texts");
  assert.equal(tally.count("no JSON"), 0);
  assert.ok(tally.count("accepted") > 1000 && tally.count("against the rules") > 200);
});

const PIECES = [
  ...words('{ } [ ] , : " \\ 0 - . e E + null \\u00 \\ud800 "a": "a":1,'),
  " ",
  "\n",
  "\0",
  "\ufeff",
].map((text) => Buffer.from(text));
/** What UTF-8 doesn't have: overlong forms, surrogates, beyond U+10FFFF, pieces of characters. */
const BROKEN = words("c0af eda080 f4908080 ff 80 c3 f09f98 efbbbf").map((hex) => Buffer.from(hex, "hex"));
const change = fc.tuple(
  fc.nat(),
  fc.nat(3),
  fc.constantFrom(...PIECES, ...PIECES, ...BROKEN),
  fc.nat(255),
  fc.boolean(),
);
const damaged = fc.tuple(value, fc.array(change, { minLength: 1, maxLength: 2 })).map(([text, changes]) =>
  changes.reduce((bytes, [where, gone, piece, mask, isFlip]) => {
    const at = where % (bytes.length + 1);
    if (!isFlip) return Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at + gone)]);
    const flipped = Buffer.from(bytes);
    if (at < flipped.length) flipped[at]! ^= mask;
    return flipped;
  }, Buffer.from(text)),
);

test("damaged JSON and plain bytes are taken if and only if they are JSON all the same", (t) => {
  const tally = createTally();
  const bytes = fc.oneof(
    { weight: 8, arbitrary: damaged },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 48 }) },
  );
  fc.assert(
    fc.property(bytes, (each) => tally.add(judge(each))),
    cases(6000),
  );
  tally.tell(t, "damaged texts and bytes");
  assert.ok(tally.count("accepted") > 200 && tally.count("no JSON") > 1000);
});

test("the reference itself agrees with JSON.parse, but for names with escapes", () => {
  const hasEscapedName = (text: string): boolean => /"[^"\\]*\\(?:[^"\\]|\\.)*"\s*:/.test(text);
  fc.assert(
    fc.property(fc.oneof(value, damaged.map(String)), (text) => {
      let parsed: unknown;
      try {
        parsed = JSON.parse(text);
      } catch {
        assert.throws(() => readJson(text), SyntaxError);
        return;
      }
      const read = readJson(text);
      if (!hasEscapedName(text) && !breaksRules(read)) assert.deepEqual(valueOf(read), parsed);
    }),
    cases(1500),
  );
});
