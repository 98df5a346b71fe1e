/** A JSON text as it is written (RFC 8259), before any rule about what it may mean. */
export type Written =
  | {
      readonly kind: "object";
      readonly source: string;
      readonly members: readonly (readonly [string, Written])[];
    }
  | { readonly kind: "array"; readonly source: string; readonly elements: readonly Written[] }
  | { readonly kind: "string"; readonly source: string }
  | { readonly kind: "number"; readonly source: string }
  | { readonly kind: "literal"; readonly source: string };

const BLANKS = /[ \t\n\r]*/y;
const STRING = /"(?:[^"\\\p{Cc}]|[\x7f-\x9f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/uy;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const LITERAL = /true|false|null/y;

/** Reads by RFC 8259's grammar, in the plainest way: recursive, and without any limit. @throws SyntaxError */
export function readJson(text: string): Written {
  let at = 0;
  const take = (pattern: RegExp): string | null => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0] ?? null;
    if (found !== null) at += found.length;
    return found;
  };
  const takeOne = (character: string): boolean => {
    take(BLANKS);
    if (text[at] !== character) return false;
    at += 1;
    return true;
  };
  const wanted = <T>(value: T | null | false): T => {
    if (value === null || value === false) throw new SyntaxError(`at ${at}`);
    return value;
  };
  /** What stands between the brackets, with commas. */
  const listed = <T>(end: string, one: () => T): T[] => {
    const all: T[] = [];
    if (takeOne(end)) return all;
    do all.push(one());
    while (takeOne(","));
    wanted(takeOne(end));
    return all;
  };
  const member = (): [string, Written] => {
    take(BLANKS);
    const name = wanted(take(STRING));
    wanted(takeOne(":"));
    return [name, value()];
  };
  const value = (): Written => {
    take(BLANKS);
    const start = at;
    if (takeOne("{")) {
      const members = listed("}", member);
      return { kind: "object", source: text.slice(start, at), members };
    }
    if (takeOne("[")) {
      const elements = listed("]", value);
      return { kind: "array", source: text.slice(start, at), elements };
    }
    for (const [kind, pattern] of [
      ["string", STRING],
      ["number", NUMBER],
      ["literal", LITERAL],
    ] as const) {
      const source = take(pattern);
      if (source !== null) return { kind, source };
    }
    throw new SyntaxError(`at ${at}`);
  };
  const all = value();
  take(BLANKS);
  wanted(at === text.length);
  return all;
}

/** What an escaped text means, unit by unit. */
export function meant(source: string): string {
  const SHORT: Record<string, string> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };
  return source
    .slice(1, -1)
    .replace(/\\(?:u(.{4})|(.))/gs, (_whole, hex: string | undefined, letter: string) =>
      hex === undefined ? (SHORT[letter] ?? letter) : String.fromCharCode(Number.parseInt(hex, 16)),
    );
}

/** SPEC section 3's rules; true: refused. */
export function breaksRules(written: Written, depth = 1, name: string | null = null): boolean {
  if (written.kind === "string") return !meant(written.source).isWellFormed();
  if (written.kind === "number") return !Number.isFinite(Number(written.source));
  if (written.kind === "literal") return false;
  if (depth > 32) return true;
  if (written.kind === "array") return written.elements.some((one) => breaksRules(one, depth + 1));
  const names = written.members.map(([own]) => meant(own));
  return (
    new Set(names).size < names.length ||
    names.some((own) => own === "__proto__" || !own.isWellFormed()) ||
    (name === "constructor" && names.includes("prototype")) ||
    written.members.some(([own, one]) => breaksRules(one, depth + 1, meant(own)))
  );
}

export function valueOf(written: Written): unknown {
  if (written.kind === "string") return meant(written.source);
  if (written.kind === "number") return Number(written.source);
  if (written.kind === "literal") return { true: true, false: false, null: null }[written.source];
  if (written.kind === "array") return written.elements.map(valueOf);
  return Object.fromEntries(written.members.map(([name, one]) => [meant(name), valueOf(one)]));
}

/** Every number with the names and indexes that lead to it. */
export function* numbersIn(
  written: Written,
  path: readonly string[] = [],
): Generator<{ path: readonly string[]; source: string }> {
  if (written.kind === "number") yield { path, source: written.source };
  if (written.kind === "array") {
    for (const [index, one] of written.elements.entries()) yield* numbersIn(one, [...path, String(index)]);
  }
  if (written.kind === "object") {
    for (const [name, one] of written.members) yield* numbersIn(one, [...path, meant(name)]);
  }
}

/** Whether two decimals, as written, are one number: by whole numbers alone. */
export function isSameNumber(left: string, right: string): boolean {
  const [a, b] = [left, right].map((text) => {
    const [, sign, whole = "", fraction = "", exponent = "0"] =
      /^(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?$/.exec(text) ?? [];
    const digits = BigInt(`${sign}${whole}${fraction}`);
    return { digits, exponent: digits === 0n ? 0 : Number(exponent) - fraction.length };
  });
  const least = Math.min(a!.exponent, b!.exponent);
  const scaled = [a!, b!].map(({ digits, exponent }) => {
    const shift = exponent - least;
    // Far more than any digits that stand there could make up for.
    return shift > 3000 ? null : digits * 10n ** BigInt(shift);
  });
  return scaled[0] !== null && scaled[0] === scaled[1];
}
