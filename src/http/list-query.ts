import { Type } from "typebox";
import type { InputProblem } from "../orders/order-input.ts";
import { ORDER_STATUSES, type OrderStatus } from "../orders/states.ts";
import type { OrderFilter } from "../storage/order-queries.ts";
import { Problem } from "./problem-reply.ts";

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 200;
const MAX_PROBLEMS = 20;
const MAX_NAME_CHARS = 64;

/** Each completes "must be ...": it documents the API and explains a refusal. */
const DESCRIPTIONS = {
  limit: `a whole number from 1 to ${MAX_LIMIT}`,
  before: "an order id: only orders with a smaller one are listed",
  status: `one of ${ORDER_STATUSES.join(", ")}`,
  external_order_id: "1 to 128 visible ASCII characters",
};

/** The bounds of an order's id. */
export const ORDER_ID = { minimum: 1, maximum: Number.MAX_SAFE_INTEGER, examples: [42] };

const { limit, before, status, external_order_id } = DESCRIPTIONS;
export const ListQuery = Type.Object({
  limit: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: MAX_LIMIT,
      default: DEFAULT_LIMIT,
      description: limit,
      examples: [DEFAULT_LIMIT],
    }),
  ),
  before: Type.Optional(Type.Integer({ ...ORDER_ID, description: before })),
  status: Type.Optional(Type.Enum([...ORDER_STATUSES], { description: status, examples: ["ticketed"] })),
  external_order_id: Type.Optional(
    Type.String({ pattern: "^[!-~]{1,128}$", description: external_order_id, examples: ["EXT-42"] }),
  ),
});

type ListFilter = Omit<OrderFilter, "partnerId">;

/** Reads one parameter; undefined for a text that is none of its values. */
const READERS: {
  readonly [Name in keyof typeof DESCRIPTIONS]: (text: string) => string | number | undefined;
} = {
  limit: (text) => (/^[1-9][0-9]{0,2}$/.test(text) && Number(text) <= MAX_LIMIT ? Number(text) : undefined),
  before: (text) => readOrderId(text) ?? undefined,
  status: (text) => ORDER_STATUSES.find((status) => status === text),
  external_order_id: (text) => (/^[!-~]{1,128}$/.test(text) ? text : undefined),
};

/** An order id in plain digits, from 1 to 2^53-1; null for any other text. */
export function readOrderId(text: string): number | null {
  return /^[1-9][0-9]{0,15}$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : null;
}

/**
 * Reads the query of `GET /orders`. What it doesn't know it refuses: a misspelt filter must not list everything.
 * @throws Problem 400 with every parameter that is wrong
 */
export function readListQuery(query: object): ListFilter {
  const problems: InputProblem[] = [];
  const values: Record<string, string | number> = {};
  for (const [name, given] of Object.entries(query)) {
    const pointer = `/${name.slice(0, MAX_NAME_CHARS).replaceAll("~", "~0").replaceAll("/", "~1")}`;
    const value = isParameter(name) && typeof given === "string" ? READERS[name](given) : undefined;
    if (value !== undefined) values[name] = value;
    else problems.push({ pointer, detail: explain(name, given) });
  }
  if (problems.length > 0) throw new Problem("invalid-query", { errors: problems.slice(0, MAX_PROBLEMS) });
  return {
    limit: Number(values["limit"] ?? DEFAULT_LIMIT),
    before: (values["before"] as number | undefined) ?? null,
    status: (values["status"] as OrderStatus | undefined) ?? null,
    externalOrderId: (values["external_order_id"] as string | undefined) ?? null,
  };
}

/** The `Link` of a page that has a next one (RFC 8288): the same filters, from its last order on. */
export function nextLink({ limit, status, externalOrderId }: ListFilter, lastId: number): string {
  const query = new URLSearchParams({ limit: String(limit) });
  if (status !== null) query.set("status", status);
  if (externalOrderId !== null) query.set("external_order_id", externalOrderId);
  query.set("before", String(lastId));
  return `</orders?${query.toString()}>; rel="next"`;
}

function isParameter(name: string): name is keyof typeof READERS {
  return Object.hasOwn(READERS, name);
}

function explain(name: string, given: unknown): string {
  if (!isParameter(name)) return `is unknown; known are ${Object.keys(READERS).join(", ")}`;
  if (typeof given !== "string") return "must be given once";
  return `must be ${DESCRIPTIONS[name]}`;
}
