import * as fc from "fast-check";
import { words } from "../words.ts";

/** What a variable says that it takes, when it refuses something. */
export interface Rule {
  readonly isList: boolean;
  /** Whether it must take a text; null: the words are no rule that can be followed to the letter. */
  readonly takes: ((text: string) => boolean) | null;
  /** Texts that it takes or nearly takes. */
  readonly near: fc.Arbitrary<string>;
}

const DECIMALS = { "a whole number": 0, seconds: 3, "a decimal number": 6 } as const;

/** Reads the rule out of the problem, so that a new variable or bound is covered, and the words are held to be true. */
export function ruleIn(problem: string): Rule {
  const isList = / entry 1 /.test(problem);
  const [, kind, min, max] =
    /must be (a whole number|seconds|a decimal number) from ([0-9.]+) to ([0-9.]+)/.exec(problem) ?? [];
  if (kind !== undefined && min !== undefined && max !== undefined) {
    const decimals = DECIMALS[kind as keyof typeof DECIMALS];
    const [least, most] = [scaled(min, decimals)!, scaled(max, decimals)!];
    const takes = (text: string): boolean => {
      const value = scaled(text, decimals);
      return value !== null && value >= least && value <= most;
    };
    return { isList, takes, near: numbersNear(least, most, decimals) };
  }
  const choices = /must be (?:one of )?([0-9a-z]+(?:, [0-9a-z]+)*(?: or [0-9a-z]+)?)$/.exec(problem)?.[1];
  if (choices !== undefined) {
    const all = choices.split(/, | or /);
    const odd = all.flatMap((one) => [one.toUpperCase(), `${one} `, `${one}x`, one.slice(1)]);
    return { isList, takes: (text) => all.includes(text), near: fc.constantFrom(...all, ...all, ...odd) };
  }
  return { isList, takes: null, near: fc.constantFrom(...EXAMPLES) };
}

/** A plain decimal as a whole number of its last decimals; null for any other text: nothing is rounded or guessed. */
export function scaled(text: string, decimals: number): bigint | null {
  const [, whole, fraction = ""] = /^(0|[1-9][0-9]*)(?:\.([0-9]+))?$/.exec(text) ?? [];
  if (whole === undefined || fraction.length > decimals) return null;
  return BigInt(whole + fraction.padEnd(decimals, "0"));
}

function numbersNear(least: bigint, most: bigint, decimals: number): fc.Arbitrary<string> {
  const write = (value: bigint): string => {
    const digits = (value < 0n ? -value : value).toString().padStart(decimals + 1, "0");
    const whole = digits.slice(0, digits.length - decimals);
    const text = decimals === 0 ? whole : `${whole}.${digits.slice(-decimals)}`;
    return (value < 0n ? "-" : "") + text;
  };
  const plain = fc
    .oneof(fc.bigInt({ min: least, max: most }), fc.constantFrom(least, most, least - 1n, most + 1n))
    .map(write);
  const short = plain.map((text) => (text.includes(".") ? text.replace(/\.?0*$/, "") : text));
  const spoilt = fc
    .tuple(
      short,
      fc.constantFrom("+", "-", " ", "0", "0x", ""),
      fc.constantFrom("", " ", "\n", ".", "e1", "n", "0001"),
    )
    .map((parts) => `${parts[1]}${parts[0]}${parts[2]}`);
  return fc.oneof(
    { weight: 2, arbitrary: short },
    plain,
    spoilt,
    fc.constantFrom(...words("NaN Infinity ٣ ９ 1_000 1,5 .5 5. 1e2 0b1 true")),
  );
}

/** Of everything that is no number and no choice. */
const EXAMPLES =
  words(`localhost 0.0.0.0 :: ::1 10.0.0.0/8 10.0.0.1 fd00::/8 10.0.0.0/33 ::/129 ::ffff:10.0.0.0/104
  010.0.0.1 9.9.9.9:53 [::1]:5353 [::1] 9.9.9.9:0 1.2.3.4:65536 [1.2.3.4] dns.example a.example *.b.example A.Example
  [2001:DB8::1] . * *. -a.b a..b 10.0.0 xn--a a_b a:1 https://a.example https://t.example/x http://127.0.0.1:9/?q=1
  HTTPS://T.example https://[::1 ftp://x/ https:///x sqlite::memory: sqlite:///./x.db sqlite:/// sqlite:x
  postgres://h/d postgres://h/%zz postgres://%zz/ postgres://`);
