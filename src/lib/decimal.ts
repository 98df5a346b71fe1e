/** A decimal number exactly: `digits` divided by ten to the power of `scale`. */
export interface Decimal {
  readonly digits: bigint;
  readonly scale: number;
}

const MAX_CHARS = 40;

/**
 * Reads a number as people and spreadsheets write it: a sign on either side or brackets around a negative one, groups of
 * three, a currency's letters or sign before or after. Null for what has two readings: `1,5` is no number where the
 * decimal mark is a point.
 */
export function readDecimal(text: string, mark: "." | ","): Decimal | null {
  if (text.length > MAX_CHARS) return null;
  const bare = text.replace(/^[\p{L}\p{Sc}\s]+|[\p{L}\p{Sc}\s]+$/gu, "");
  const [, bracketed] = /^\((.+)\)$/.exec(bare) ?? [];
  const [, before, number, after] = /^([-−+]?)\s*(.*?)\s*([-−]?)$/.exec(bracketed ?? bare)!;
  const signs = [before, after, bracketed === undefined ? "" : "-"].filter((sign) => sign !== "");
  if (number === undefined || signs.length > 1) return null;
  const unsigned = number.replace(/^[\p{L}\p{Sc}\s]+|[\p{L}\p{Sc}\s]+$/gu, "");
  const at = unsigned.lastIndexOf(mark);
  const whole = at < 0 ? unsigned : unsigned.slice(0, at);
  const fraction = at < 0 ? "" : unsigned.slice(at + 1);
  const separator = mark === "." ? "," : ".";
  const isWhole = /^\d+$/.test(whole) || isGrouped(whole, separator) || (whole === "" && fraction !== "");
  if (!isWhole || !/^\d*$/.test(fraction)) return null;
  const digits = BigInt(`${whole.replaceAll(/\D/g, "")}${fraction}` || "0");
  return { digits: signs[0] === "-" || signs[0] === "−" ? -digits : digits, scale: fraction.length };
}

function isGrouped(whole: string, separator: string): boolean {
  return [separator, "'", "’", " ", "\u00a0", "\u202f"].some((each) => {
    const groups = whole.split(each);
    return (
      groups.length > 1 && /^\d{1,3}$/.test(groups[0]!) && groups.slice(1).every((g) => /^\d{3}$/.test(g))
    );
  });
}

export function addDecimals(one: Decimal, other: Decimal): Decimal {
  const scale = Math.max(one.scale, other.scale);
  return { digits: scaled(one, scale) + scaled(other, scale), scale };
}

/** True of the same number, however many zeros it ends in. */
export function equalDecimals(one: Decimal, other: Decimal): boolean {
  const scale = Math.max(one.scale, other.scale);
  return scaled(one, scale) === scaled(other, scale);
}

/** `-1299.50`: as a point mark writes it, with all of its decimals. */
export function decimalText({ digits, scale }: Decimal): string {
  const text = String(digits < 0n ? -digits : digits).padStart(scale + 1, "0");
  const number = scale === 0 ? text : `${text.slice(0, -scale)}.${text.slice(-scale)}`;
  return digits < 0n ? `-${number}` : number;
}

function scaled({ digits, scale }: Decimal, to: number): bigint {
  return digits * 10n ** BigInt(to - scale);
}
