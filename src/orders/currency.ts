/**
 * How many decimals a currency's minor unit stands for, where it isn't two: ISO 4217, list one (current currencies and
 * funds, kept by SIX). `Intl` is no source for it: it follows common usage, and gives HUF and IDR none.
 */
const EXPONENTS = new Map<string, number>(
  Object.entries({
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
  }).flatMap(([exponent, codes]) => codes.split(" ").map((code) => [code, Number(exponent)] as const)),
);

/** Codes of the list that have no minor unit at all: metals, units of account, tests, none. */
const WITHOUT_MINOR_UNIT = new Set("XAG XAU XBA XBB XBC XBD XDR XPD XPT XSU XTS XUA XXX".split(" "));

const WHOLE = /^-?(?:0|[1-9][0-9]{0,39})$/;

/**
 * A whole number of minor units as a decimal text, exactly and always with all of the currency's decimals:
 * `(129900, "THB")` -> `1299.00`, `(500, "JPY")` -> `500`, `(1500, "KWD")` -> `1.500`.
 * @param minor a safe integer, a bigint, or a text of up to 40 digits
 * @param currency an ISO 4217 code; one that the list doesn't know counts two decimals
 * @throws RangeError for anything else, and for codes without a minor unit
 */
export function toDecimal(minor: number | bigint | string, currency: string): string {
  if (!/^[A-Z]{3}$/.test(currency)) throw new RangeError("a currency is three capital letters");
  if (WITHOUT_MINOR_UNIT.has(currency)) throw new RangeError(`${currency} has no minor unit`);
  const isWhole = typeof minor !== "number" || Number.isSafeInteger(minor);
  const text = String(minor);
  if (!isWhole || !WHOLE.test(text)) throw new RangeError("an amount is a whole number of minor units");
  const exponent = EXPONENTS.get(currency) ?? 2;
  if (exponent === 0) return text === "-0" ? "0" : text;
  const isNegative = text.startsWith("-");
  const digits = text.slice(isNegative ? 1 : 0).padStart(exponent + 1, "0");
  const decimal = `${digits.slice(0, -exponent)}.${digits.slice(-exponent)}`;
  return isNegative && /[1-9]/.test(digits) ? `-${decimal}` : decimal;
}
