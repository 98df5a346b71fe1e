import type { TSchema } from "typebox";
import { isoTimeOrNull } from "../lib/iso-time.ts";
import type { InputProblem } from "./order-input.ts";
import type { OrderFilter } from "./order-filter.ts";
import { ATTEMPT_ERRORS, type AttemptError } from "./outcome.ts";
import { ORDER_STATUSES, type OrderStatus } from "./states.ts";
import {
  anyOf,
  date,
  type Field,
  type FieldValues,
  flag,
  integer,
  oneOf,
  readFields,
  schemasOf,
  text,
  time,
  type Value,
} from "./outward-fields.ts";

const MAX_IDS = 1000;

/**
 * The outward names, as the query string, the command line and a JSON body write them. Apart from the filter itself: a thread of
 * the storage needs no schemas, which take longer to load than all else that it does.
 */
export const ORDER_FILTER_FIELDS = {
  q: text("an external id, trace id, ticketing reference, ticket code or order id, whole", 255, "EXT-42"),
  status: anyOf(oneOf("the order's status", ORDER_STATUSES), ORDER_STATUSES.length),
  partner: text("a partner's id", 128, "ota-one"),
  created_from: time("a time or date (RFC 3339; a date begins in UTC): accepted from then on"),
  created_before: time("a time or date (RFC 3339; a date begins in UTC): accepted before it"),
  visit_from: date("a date, as YYYY-MM-DD: an item is visited on it or later"),
  visit_to: date("a date, as YYYY-MM-DD: an item is visited on it or earlier"),
  code: integer("an HTTP status: what the last attempt of either leg brought", 100, 999, 503),
  error: oneOf("what the last attempt of either leg failed with", ATTEMPT_ERRORS),
  past_due: flag("true: an attempt has been due for over a minute"),
  error_group: text(
    "the fingerprint of a group of errors",
    600,
    "ticketing:503:-:a1b2c3d4e5f6:ticketing.example.com",
  ),
  id: anyOf(integer("an order id", 1, Number.MAX_SAFE_INTEGER, 42), MAX_IDS),
} as const satisfies Record<string, Field<string> | Field<number> | Field<boolean>>;
type FieldName = keyof typeof ORDER_FILTER_FIELDS;

/** The schemas of the outward form, all of them optional: for the query of a route, or the body of another. */
export const ORDER_FILTER_PROPERTIES: Readonly<Record<string, TSchema>> = schemasOf(ORDER_FILTER_FIELDS);

export type OrderFilterRead =
  | { readonly ok: true; readonly filter: OrderFilter }
  | { readonly ok: false; readonly problems: readonly InputProblem[] };

/**
 * Reads the outward form: values are texts, numbers, booleans, or arrays of these. What it doesn't know it refuses: a
 * misspelt filter must not mean every order.
 */
export function readOrderFilter(given: object): OrderFilterRead {
  const read = readFields(given, ORDER_FILTER_FIELDS);
  return read.ok ? { ok: true, filter: orderFilterOf(read.values) } : read;
}

/** The filter that these say, which may be fields of more than a filter. */
export function orderFilterOf(values: FieldValues): OrderFilter {
  const one = (name: FieldName): Value | null => values.get(name)?.[0] ?? null;
  return {
    q: one("q") as string | null,
    statuses: [...new Set((values.get("status") ?? []) as OrderStatus[])],
    partnerId: one("partner") as string | null,
    createdFrom: one("created_from") as number | null,
    createdBefore: one("created_before") as number | null,
    visitFrom: one("visit_from") as string | null,
    visitTo: one("visit_to") as string | null,
    code: one("code") as number | null,
    error: one("error") as AttemptError | null,
    pastDue: one("past_due") === true,
    errorGroup: one("error_group") as string | null,
    ids: (values.get("id") as number[] | undefined) ?? null,
  };
}

/** The same filter in its outward form: the query string that {@link readOrderFilter} reads again. */
export function orderFilterQuery(filter: OrderFilter): URLSearchParams {
  const values: Record<FieldName, Value | null | readonly Value[]> = {
    q: filter.q,
    status: filter.statuses,
    partner: filter.partnerId,
    created_from: isoTimeOrNull(filter.createdFrom),
    created_before: isoTimeOrNull(filter.createdBefore),
    visit_from: filter.visitFrom,
    visit_to: filter.visitTo,
    code: filter.code,
    error: filter.error,
    past_due: filter.pastDue || null,
    error_group: filter.errorGroup,
    id: filter.ids,
  };
  const pairs = Object.entries(values).flatMap(([name, value]) =>
    (value === null ? [] : [value].flat()).map((each): [string, string] => [name, String(each)]),
  );
  return new URLSearchParams(pairs);
}
