/**
 * The names under which ticketing systems put what is printed on a ticket, the most telling first; spelt in any of the usual
 * ways (`ticket_code`, `ticketCode`, `Ticket-Code`).
 */
const NAMES = [
  "code",
  "ticketcode",
  "barcode",
  "qrcode",
  "qr",
  "deliveryvalue",
  "vouchercode",
  "voucher",
  "ticketnumber",
  "number",
  "serialnumber",
  "serial",
  "ticketid",
  "id",
  "reference",
];
const RANKS: ReadonlyMap<string, number> = new Map(NAMES.map((name, rank) => [name, rank]));
const MAX_NAME = 32;
/** One word: never a text in which a person's name could stand. */
const CODE = /^[\x21-\x7e]{1,128}$/;

/**
 * The code that a stored ticket is found by: a text is one itself, an object's is the first of the usual names that holds one.
 * Null: it has none, or stands further inside.
 *
 * @param body the ticket as JSON
 */
export function codeOfTicket(body: string): string | null {
  const ticket = parsed(body);
  if (typeof ticket !== "object" || ticket === null) return asCode(ticket);
  let found: string | null = null;
  let best = NAMES.length;
  for (const [name, value] of Object.entries(ticket)) {
    const rank = rankOf(name);
    const code = rank < best ? asCode(value) : null;
    if (code !== null) [found, best] = [code, rank];
  }
  return found;
}

/** Some systems number their tickets with numbers. */
function asCode(value: unknown): string | null {
  const text = Number.isSafeInteger(value) ? String(value) : value;
  return typeof text === "string" && CODE.test(text) ? text : null;
}

function rankOf(name: string): number {
  const plain = name.length <= MAX_NAME ? name.toLowerCase().replaceAll(/[ _-]/g, "") : "";
  return RANKS.get(plain) ?? NAMES.length;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
