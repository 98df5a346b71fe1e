import { type TObject, Type } from "typebox";
import type { OrderFilter } from "../orders/order-filter.ts";
import { ORDER_FILTER_FIELDS, orderFilterOf } from "../orders/order-filter-fields.ts";
import {
  type Field,
  type FieldValues,
  integer,
  readFields,
  schemasOf,
  type Value,
} from "../orders/outward-fields.ts";
import { Problem } from "./problem-reply.ts";

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 200;

type Fields = Readonly<Record<string, Field<Value>>>;

/** How lists are taken in pages. */
function pageFields(places: number): Fields {
  // Of ids and epoch milliseconds, which fall short of 2^53 by far.
  const pattern = `^(?:0|[1-9][0-9]{0,14})(?:\\.(?:0|[1-9][0-9]{0,14})){${places - 1}}$`;
  const form = new RegExp(pattern);
  const description = "the `next` of the page before";
  return {
    cursor: {
      schema: Type.String({ pattern, description, examples: [Array(places).fill(42).join(".")] }),
      most: 1,
      read: (given) => (form.test(given) ? given : undefined),
    },
    limit: integer(
      `a whole number from 1 to ${MAX_LIMIT}; ${DEFAULT_LIMIT} if left out`,
      1,
      MAX_LIMIT,
      DEFAULT_LIMIT,
    ),
  };
}

/** The query of a list: what it takes, and how it is read. */
export interface ListQuery {
  readonly schema: TObject;
  /** @throws Problem 400 with every parameter that is wrong */
  read(query: object): ListAsked;
}

export interface ListAsked {
  readonly values: FieldValues;
  /** Of one parameter that is given once at most, or null. */
  one(name: string): Value | null;
  /** The numbers of the last row's place, or null for the first page. */
  readonly after: readonly number[] | null;
  readonly limit: number;
}

/** @param places how many numbers the list's cursor has */
export function listQuery(fields: Fields, places: number): ListQuery {
  const all = { ...fields, ...pageFields(places) };
  return {
    schema: Type.Object(schemasOf(all)),
    read(query) {
      const values = readQuery(query, all);
      const one = (name: string): Value | null => values.get(name)?.[0] ?? null;
      const cursor = one("cursor");
      const after = cursor === null ? null : String(cursor).split(".").map(Number);
      return { values, one, after, limit: Number(one("limit") ?? DEFAULT_LIMIT) };
    },
  };
}

/** @throws Problem 400 with every parameter that is wrong */
export function readQuery(query: object, fields: Fields): FieldValues {
  const read = readFields(query, fields);
  if (!read.ok) throw new Problem("invalid-query", { errors: read.problems });
  return read.values;
}

/** Reads the filter of a query that has nothing else. @throws Problem 400 */
export function readFilterQuery(query: object): OrderFilter {
  return orderFilterOf(readQuery(query, ORDER_FILTER_FIELDS));
}

/** The next page's cursor, as the body has it. */
export function cursorOf(next: readonly number[] | null): string | null {
  return next === null ? null : next.join(".");
}

/** The `Link` of a page that has a next one (RFC 8288): the same query, with another cursor. */
export function nextLink(path: string, query: object, cursor: string): string {
  const given = Object.entries(query).filter(([name]) => name !== "cursor");
  const pairs = given.flatMap(([name, value]) =>
    [value].flat().map((each): [string, string] => [name, String(each)]),
  );
  return `<${path}?${new URLSearchParams([...pairs, ["cursor", cursor]]).toString()}>; rel="next"`;
}
