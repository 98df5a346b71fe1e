import { toDecimal } from "../../../src/orders/currency.ts";

/** `1,204`, with a thin mark of thousands that every language of the console's users reads. */
export function count(value: number): string {
  return value.toLocaleString("en-US");
}

/** `1 order`, `300 orders`. */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** `2,598.00 THB`: exact, by the currency's own minor digits; what has none, or is too large to be exact, as it came. */
export function money(minor: number | bigint, currency: string): string {
  const [whole = "", fraction] = decimalOf(minor, currency).split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
  return `${fraction === undefined ? grouped : `${grouped}.${fraction}`} ${currency}`;
}

function decimalOf(minor: number | bigint, currency: string): string {
  try {
    return toDecimal(minor, currency);
  } catch {
    return String(minor);
  }
}
