import type { ExportedOrder } from "./order-export.ts";
import {
  type Advice,
  onFields,
  onOursOnly,
  onRepeatedOurs,
  onRepeatedTheirs,
  onStatus,
  onTheirsOnly,
  type Side,
} from "./reconciliation-advice.ts";
import type { OrderStatus } from "./states.ts";
import {
  COMPARE,
  differ,
  type FieldDifference,
  filled,
  type Found,
  ourText,
  type Party,
} from "./reconciled-fields.ts";
import {
  bareKey,
  type FieldName,
  type KeyName,
  normalKey,
  readStanding,
  type Reading,
  type Standing,
  standingOf,
  type TheirRow,
} from "./their-row.ts";

export interface ReconciliationRules {
  readonly side: Side;
  /** By what a row and an order are known to be the same; together with `partner_id`, where that is mapped. */
  readonly key: KeyName;
  /** The mapped columns beside the key. */
  readonly fields: readonly FieldName[];
  /** `items`: rows of a key are parts of one order, and are added up. */
  readonly rowsAre: "orders" | "items";
  readonly reading: Reading;
}

export const DIFFERENCE_KINDS = [
  "ours_only",
  "theirs_only",
  "mismatch",
  "repeated_ours",
  "repeated_theirs",
  "unreadable",
] as const;
export type DifferenceKind = (typeof DIFFERENCE_KINDS)[number];

export interface Difference extends Advice {
  readonly kind: DifferenceKind;
  /** As whoever has it writes it. */
  readonly key: string;
  /** Of their file. */
  readonly lines: readonly number[];
  readonly orderIds: readonly number[];
  /** Of the order that was compared. */
  readonly status: OrderStatus | null;
  readonly fields: readonly FieldDifference[];
}

/** What a row is found by; empty: it has no key. */
export function theirKey({ texts }: TheirRow, { key, fields }: ReconciliationRules): string {
  const own = normalKey(texts[key] ?? "");
  return own === "" || !fields.includes("partner_id") ? own : `${normalKey(texts.partner_id ?? "")}\n${own}`;
}

/** The same of an order; empty: it has no reference yet. */
export function ourKey(order: ExportedOrder, { key, fields }: ReconciliationRules): string {
  const own = normalKey(ourText(order, key));
  return own === "" || !fields.includes("partner_id") ? own : `${normalKey(order.partnerId)}\n${own}`;
}

/** An order that their file doesn't have; null: that is no difference. */
export function compareOursOnly(order: ExportedOrder, { side, key }: ReconciliationRules): Difference | null {
  const advice = onOursOnly(side, order);
  return advice === null
    ? null
    : {
        kind: "ours_only",
        key: ourText(order, key) || order.externalOrderId,
        lines: [],
        orderIds: [order.id],
        status: order.status,
        fields: [],
        ...advice,
      };
}

/** Holds all rows of a key against all orders of it, in the order of lines and of ids. */
export function compareKey(
  rows: Party,
  orders: readonly ExportedOrder[],
  rules: ReconciliationRules,
): Difference[] {
  const parties = partiesOf(rows, rules);
  const inForce = orders.filter(({ status }) => status !== "cancelled" && status !== "closed");
  const last = orders.at(-1);
  if (last === undefined) return parties.flatMap((party) => compareTheirsOnly(party, rules));
  const compared = inForce.length > 0 ? inForce : [last];
  if (parties.length === compared.length) {
    return parties.flatMap((party, index) => compareOrder(party, compared[index]!, rules));
  }
  const newest = compared.at(-1)!;
  const isTheirs = parties.length > compared.length;
  const repeated: Difference = {
    ...of(rows, newest, rules),
    kind: isTheirs ? "repeated_theirs" : "repeated_ours",
    orderIds: compared.map((order) => order.id),
    fields: [],
    ...(isTheirs ? onRepeatedTheirs(rules.rowsAre, newest) : onRepeatedOurs(newest)),
  };
  return [repeated, ...compareOrder(parties[0], newest, rules)];
}

/** A row that cancels ends what the rows before it say; rows of items are one order together. */
function partiesOf(rows: Party, { rowsAre, reading }: ReconciliationRules): [Party, ...Party[]] {
  const isCancelled = ({ texts }: TheirRow) => readStanding(texts.status ?? "", reading) === "cancelled";
  if (rowsAre === "items") {
    const [first, ...rest] = rows.filter((row) => !isCancelled(row));
    return [first === undefined ? rows : [first, ...rest]];
  }
  const last = rows.at(-1)!;
  if (isCancelled(last)) return [[last]];
  const [first, ...rest] = rows.map((row): Party => [row]);
  return [first!, ...rest];
}

function compareTheirsOnly(party: Party, rules: ReconciliationRules): Difference[] {
  const advice = onTheirsOnly(rules.side, standingIn(party, rules));
  return advice === null ? [] : [{ ...of(party, null, rules), kind: "theirs_only", fields: [], ...advice }];
}

function compareOrder(party: Party, order: ExportedOrder, rules: ReconciliationRules): Difference[] {
  const found = rules.fields
    .filter((field) => field !== "status" && field !== "partner_id")
    .map((field) => COMPARE[field](filled(party, field), order, rules.reading, party));
  const unreadable = [...found, wordUnknown(party, rules)].filter((each) => each?.isUnreadable === true);
  const different = found.filter((each) => each !== null && !each.isUnreadable);
  const status = compareStatus(party, order, rules);
  const fields = [...(status === null ? [] : [status]), ...different].map((each) => told(each!));
  const theirs = standingIn(party, rules);
  const advice = status === null ? onFields(order) : onStatus(rules.side, theirs, order);
  return [
    ...(fields.length === 0
      ? []
      : [{ ...of(party, order, rules), kind: "mismatch" as const, fields, ...advice }]),
    ...(unreadable.length === 0
      ? []
      : [
          {
            ...of(party, order, rules),
            kind: "unreadable" as const,
            fields: unreadable.map((each) => told(each!)),
            advice: "their text could not be read: see how --decimal, --dates and --words say what is meant",
            command: null,
          },
        ]),
  ];
}

function of(party: Party, order: ExportedOrder | null, { key }: ReconciliationRules) {
  return {
    key: bareKey(party[0].texts[key] ?? ""),
    lines: party.map((row) => row.line),
    orderIds: order === null ? [] : [order.id],
    status: order?.status ?? null,
  };
}

const told = ({ field, ours, theirs }: Found): FieldDifference => ({ field, ours, theirs });

function standingIn(party: Party, { reading }: ReconciliationRules): Standing | null {
  return filled(party, "status").map((text) => readStanding(text, reading))[0] ?? null;
}

function wordUnknown(party: Party, { reading, fields }: ReconciliationRules): Found | null {
  if (!fields.includes("status")) return null;
  const unknown = filled(party, "status").find((text) => readStanding(text, reading) === null);
  return unknown === undefined ? null : differ("status", "", unknown, true);
}

function compareStatus(party: Party, order: ExportedOrder, rules: ReconciliationRules): Found | null {
  const [text] = filled(party, "status");
  const theirs = standingIn(party, rules);
  if (text !== undefined && theirs === null) return null;
  return agrees(rules.side, theirs, order) ? null : differ("status", order.status, text ?? "listed");
}

function agrees(side: Side, theirs: Standing | null, { status }: ExportedOrder): boolean {
  const ours = standingOf(status);
  if (ours === "closed") return true;
  // Listed alone: the partner has sold it, which it may have a moment ago; ticketing has issued it.
  if (theirs === null) return ours === "confirmed" || (side === "partner" && ours === "pending");
  const isSale = (standing: string) => standing !== "failed" && standing !== "cancelled";
  return theirs === ours || (!isSale(theirs) && !isSale(ours));
}
