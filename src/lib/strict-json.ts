import { isUtf8 } from "node:buffer";

/** Limits of one parse. All counts are bounded by the length of the text, which is the caller's to bound. */
export interface StrictJsonLimits {
  /** Objects and arrays open at once; 32. */
  readonly maxDepth?: number;
  /**
   * Places whose numbers must be written as plain integers (`0`, `17`; not `1.0`, `1e2`, `-0`), as paths
   * in which `*` is any element or name: `[["items", "*", "qty"]]`.
   */
  readonly plainIntegersAt?: readonly (readonly string[])[];
}

/** Source text of each value of a top-level object, exactly as received; empty for any other value. */
export type Members = ReadonlyMap<string, string>;

/** A JSON text taken apart. */
export interface ParsedJson {
  readonly value: unknown;
  readonly members: Members;
}

export interface StrictJson extends ParsedJson {
  readonly ok: true;
  readonly text: string;
  /** A number as written is not what its double prints: integers beyond 2^53, too many digits, underflow. */
  readonly inexactNumbers: boolean;
  /** JSON pointers of numbers at `plainIntegersAt` that are written in another way; the first 20. */
  readonly notPlainIntegers: readonly string[];
}

export interface JsonRefusal {
  readonly ok: false;
  /** RFC 6901; where the exact place has an overlong pointer, the nearest enclosing place. */
  readonly pointer: string;
  /** What is wrong, at which line and column. Never quotes what was received. */
  readonly detail: string;
}

const MAX_POINTER_LENGTH = 256;
const MAX_REPORTED = 20;

/**
 * Parses RFC 8259 JSON by SPEC section 3: strict UTF-8 without a BOM; no duplicate names (after
 * unescaping), `__proto__`, `constructor` holding `prototype`, lone surrogates, numbers that overflow a
 * double, or nesting over `maxDepth`. Linear in time and memory, without recursion; never throws.
 */
export function parseStrictJson(
  bytes: Uint8Array | string,
  limits: StrictJsonLimits = {},
): StrictJson | JsonRefusal {
  const text = typeof bytes === "string" ? bytes : decode(bytes);
  if (text === null) return { ok: false, pointer: "", detail: "The text is not valid UTF-8." };
  // The walk comes first: what it refuses, deep nesting above all, never reaches the native parser.
  const walk = new Walk(text, limits);
  try {
    walk.run();
    const { members, inexactNumbers, notPlainIntegers } = walk;
    const value: unknown = walk.escapedNames ? parseByTokens(text) : JSON.parse(text);
    return { ok: true, value, text, members, inexactNumbers, notPlainIntegers };
  } catch (error) {
    if (error instanceof Refused) return { ok: false, pointer: error.pointer, detail: error.detail };
    // Should the native parser ever refuse what the walk accepts, its word counts.
    return { ok: false, pointer: "", detail: "The text is not valid JSON." };
  }
}

function decode(bytes: Uint8Array): string | null {
  if (!isUtf8(bytes)) return null;
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("utf8");
}

const TOKENS = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\]]|[^\s{}[\],:"]+/g;

/**
 * The value of a text that the walk has found valid, read token by token. V8 13.6 (Node 24) takes a member name that is
 * written with an escape for another one of the same length that it parsed before: after `{"t":1,"\\\\":0}` it reads
 * `{"t":1,"\\"":0}` as the first. Names with escapes are rare, so only they pay for this.
 */
function parseByTokens(text: string): unknown {
  const tokens = text.match(TOKENS) ?? [];
  let at = 0;
  const value = (): unknown => {
    const token = tokens[at]!;
    at += 1;
    if (token === "{") {
      const object: Record<string, unknown> = {};
      while (tokens[at] !== "}") {
        const name = JSON.parse(tokens[at]!) as string;
        at += 1;
        object[name] = value();
      }
      at += 1;
      return object;
    }
    if (token === "[") {
      const array: unknown[] = [];
      while (tokens[at] !== "]") array.push(value());
      at += 1;
      return array;
    }
    return JSON.parse(token);
  };
  return value();
}

/** Thrown by the walk, caught by `parseStrictJson` alone. */
class Refused {
  readonly pointer: string;
  readonly detail: string;
  constructor(pointer: string, detail: string) {
    this.pointer = pointer;
    this.detail = detail;
  }
}

/** An open object (`names` is what it has so far) or array (`names` is null), and where we are in it. */
interface Frame {
  readonly names: Set<string> | null;
  key: string | null;
  count: number;
  valueStart: number;
}

const QUOTE = 0x22;
const PLUS = 0x2b;
const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** One pass over the text that checks grammar and rules; `at` is always the next character to look at. */
class Walk {
  readonly members = new Map<string, string>();
  readonly notPlainIntegers: string[] = [];
  inexactNumbers = false;
  escapedNames = false;
  private readonly text: string;
  private readonly maxDepth: number;
  private readonly plainIntegersAt: readonly (readonly string[])[];
  private readonly frames: Frame[] = [];
  private at = 0;

  constructor(text: string, limits: StrictJsonLimits) {
    this.text = text;
    this.maxDepth = limits.maxDepth ?? 32;
    this.plainIntegersAt = limits.plainIntegersAt ?? [];
  }

  run(): void {
    if (this.text.charCodeAt(0) === 0xfeff) this.refuse("a byte order mark is not allowed");
    if (Number.isNaN(this.next())) this.refuse("the text is empty");
    this.value();
    for (let frame = this.frames.at(-1); frame !== undefined; frame = this.frames.at(-1)) this.step(frame);
    if (!Number.isNaN(this.next())) this.refuse("nothing may follow the JSON value");
  }

  /** Closes the innermost container or reads its next element, of which it opens a container only. */
  private step(frame: Frame): void {
    const { names } = frame;
    const code = this.next();
    if (code === (names === null ? CLOSE_ARRAY : CLOSE_OBJECT)) {
      this.at += 1;
      this.frames.pop();
      this.valueEnded();
      return;
    }
    if (frame.count > 0) {
      if (code !== COMMA)
        this.refuse(`a comma or the end of the ${names === null ? "array" : "object"} is missing`);
      this.at += 1;
      this.next();
    }
    if (names !== null) this.name(frame, names);
    frame.count += 1;
    frame.valueStart = this.at;
    this.value();
  }

  private name(frame: Frame, names: Set<string>): void {
    const start = this.at;
    if (this.text.charCodeAt(start) !== QUOTE) this.refuse("a member name in double quotes is missing");
    frame.key = null;
    const name = this.string(true);
    frame.key = name;
    if (names.has(name)) this.refuse("this name appears twice in one object", start);
    if (name === "__proto__") this.refuse("this name is not allowed", start);
    if (name === "prototype" && this.frames.at(-2)?.key === "constructor") {
      this.refuse("this name is not allowed here", start);
    }
    names.add(name);
    if (this.next() !== COLON) this.refuse("a colon is missing");
    this.at += 1;
    this.next();
  }

  private value(): void {
    const code = this.text.charCodeAt(this.at);
    if (code === QUOTE) this.string(false);
    else if (code === MINUS || (code >= ZERO && code <= NINE)) this.number();
    else if (code === OPEN_OBJECT || code === OPEN_ARRAY) return this.open(code === OPEN_OBJECT);
    else this.literal();
    this.valueEnded();
  }

  private open(isObject: boolean): void {
    if (this.frames.length >= this.maxDepth) this.refuse(`nesting goes deeper than ${this.maxDepth} levels`);
    this.at += 1;
    this.frames.push({ names: isObject ? new Set() : null, key: null, count: 0, valueStart: 0 });
  }

  private valueEnded(): void {
    const [top] = this.frames;
    if (this.frames.length !== 1 || top === undefined || top.key === null) return;
    this.members.set(top.key, this.text.slice(top.valueStart, this.at));
  }

  /** Reads a string; returns what it means if `wanted`, else anything. */
  private string(wanted: boolean): string {
    const { text } = this;
    const start = this.at;
    let at = start + 1;
    let escaped = false;
    let surrogates = false;
    for (let code = text.charCodeAt(at); code !== QUOTE; code = text.charCodeAt(at)) {
      if (code === BACKSLASH) {
        escaped = true;
        const unit = this.escape(at);
        if ((unit & 0xf800) === 0xd800) surrogates = true;
        at += unit < 0 ? 2 : 6;
      } else if (code >= 0x20) {
        if ((code & 0xf800) === 0xd800) surrogates = true;
        at += 1;
      } else this.refuse(at < text.length ? "a control character in a string" : "a string does not end", at);
    }
    this.at = at + 1;
    if (!wanted && !surrogates) return "";
    if (wanted && escaped) this.escapedNames = true;
    const meant = escaped ? (JSON.parse(text.slice(start, this.at)) as string) : text.slice(start + 1, at);
    if (surrogates && !meant.isWellFormed()) this.refuse("half of a surrogate pair stands alone", start);
    return meant;
  }

  /** The code unit of the `\uXXXX` at `at`, -1 for a valid two-character escape. */
  private escape(at: number): number {
    const letter = this.text.charAt(at + 1);
    if (letter !== "" && '"\\/bfnrt'.includes(letter)) return -1;
    const hex = this.text.slice(at + 2, at + 6);
    if (letter !== "u" || !/^[0-9a-fA-F]{4}$/.test(hex)) this.refuse("an invalid escape in a string", at);
    return Number.parseInt(hex, 16);
  }

  private number(): void {
    const start = this.at;
    const negative = this.skip(MINUS);
    if (!this.skip(ZERO)) this.digits();
    const integerEnd = this.at;
    if (this.skip(DOT)) this.digits();
    // Setting bit 5 turns E into e and leaves e alone.
    const mantissaEnd = this.at;
    if ((this.text.charCodeAt(mantissaEnd) | 0x20) === 0x65) {
      this.at += 1;
      if (!this.skip(PLUS)) this.skip(MINUS);
      this.digits();
    }
    if (negative || this.at > integerEnd) this.noteNotPlain();
    // Up to 15 digits, a double always prints what was written.
    if (this.at === mantissaEnd && this.at - start <= 15) return;
    const written = this.text.slice(start, this.at);
    const number = Number(written);
    if (!Number.isFinite(number)) this.refuse("a number is too large for a double", start);
    if (!this.inexactNumbers) this.inexactNumbers = decimal(written) !== decimal(String(number));
  }

  private digits(): void {
    const start = this.at;
    let code = this.text.charCodeAt(start);
    while (code >= ZERO && code <= NINE) code = this.text.charCodeAt(++this.at);
    if (this.at === start) this.refuse("a digit is missing");
  }

  private literal(): void {
    const found = ["true", "false", "null"].find((word) => this.text.startsWith(word, this.at));
    if (found === undefined) this.refuse("a JSON value is missing");
    else this.at += found.length;
  }

  private noteNotPlain(): void {
    const { frames, notPlainIntegers } = this;
    const isWatched = this.plainIntegersAt.some(
      (path) =>
        path.length === frames.length &&
        path.every((key, depth) => key === "*" || key === keyOf(frames[depth])),
    );
    if (isWatched && notPlainIntegers.length < MAX_REPORTED) notPlainIntegers.push(this.pointer());
  }

  private skip(code: number): boolean {
    if (this.text.charCodeAt(this.at) !== code) return false;
    this.at += 1;
    return true;
  }

  /** Skips blanks; the code of the character after them, NaN at the end. */
  private next(): number {
    let code = this.text.charCodeAt(this.at);
    while (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) {
      this.at += 1;
      code = this.text.charCodeAt(this.at);
    }
    return code;
  }

  private pointer(): string {
    let pointer = "";
    for (const frame of this.frames) {
      const key = keyOf(frame);
      if (key === null || pointer.length + key.length >= MAX_POINTER_LENGTH) break;
      pointer += `/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
    }
    return pointer;
  }

  private refuse(what: string, at = this.at): never {
    const lineStart = at === 0 ? 0 : this.text.lastIndexOf("\n", at - 1) + 1;
    const line = this.text.slice(0, lineStart).split("\n").length;
    throw new Refused(this.pointer(), `Line ${line}, column ${at - lineStart + 1}: ${what}.`);
  }
}

/** The member name or element index that the walk is at; null before the first. */
function keyOf(frame: Frame | undefined): string | null {
  if (frame === undefined || frame.names !== null) return frame?.key ?? null;
  return frame.count === 0 ? null : String(frame.count - 1);
}

/** A number's exact decimal value in one spelling: its digits without outer zeros, and a power of ten. */
function decimal(written: string): string {
  const [mantissa = "", exponent = "0"] = written.toLowerCase().replace(/^-/, "").split("e");
  const [whole = "", fraction = ""] = mantissa.split(".");
  const digits = whole + fraction;
  // Loops, because a pattern like /0+$/ needs quadratic time on a number made for it.
  let start = 0;
  while (digits.charCodeAt(start) === ZERO) start += 1;
  if (start === digits.length) return "0";
  let end = digits.length;
  while (digits.charCodeAt(end - 1) === ZERO) end -= 1;
  return `${digits.slice(start, end)}e${Number(exponent) - fraction.length + digits.length - end}`;
}
