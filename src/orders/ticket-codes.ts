/** What a ticket is found by: the names under which ticketing systems put what is printed on it, in their usual spellings. */
const NAMES = new Set([
  "code",
  "ticketcode",
  "barcode",
  "qr",
  "qrcode",
  "number",
  "ticketnumber",
  "id",
  "ticketid",
  "serial",
  "serialnumber",
  "voucher",
  "vouchercode",
  "reference",
  "deliveryvalue",
]);
/** One word: never a text in which a person's name could stand. */
const CODE = /^[\x21-\x7e]{1,128}$/;
const MAX_CODES = 4;
const MAX_NODES = 64;
const MAX_DEPTH = 4;

/**
 * The codes of a stored ticket, whatever its shape: a text is one itself, an object's stand under the names that say so,
 * also further inside (as OCTO's `deliveryOptions[].deliveryValue`). At most four.
 *
 * @param body the ticket as JSON
 */
export function codesOfTicket(body: string): string[] {
  const codes = new Set<string>();
  let left = MAX_NODES;
  function look(value: unknown, isCode: boolean, depth: number): void {
    left -= 1;
    if (left < 0 || codes.size >= MAX_CODES) return;
    if (typeof value === "string" || typeof value === "number") {
      if (isCode && CODE.test(String(value))) codes.add(String(value));
    } else if (Array.isArray(value) && depth < MAX_DEPTH) {
      for (const each of value) look(each, isCode, depth + 1);
    } else if (typeof value === "object" && value !== null && depth < MAX_DEPTH) {
      for (const [name, inner] of Object.entries(value)) look(inner, isName(name), depth + 1);
    }
  }
  look(parsed(body), true, 0);
  return [...codes];
}

function isName(name: string): boolean {
  return name.length <= 32 && NAMES.has(name.toLowerCase().replaceAll(/[ _-]/g, ""));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
