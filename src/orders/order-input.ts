import Type, { type Static } from "typebox";
import { MAX_PROBLEMS, type Validator, validatorOf } from "./validator.ts";

const MAX_ITEMS = 500;

// Every description completes "must be ...": it documents the API and explains a refusal.
export const OrderItem = Type.Object(
  {
    sku: Type.String({
      pattern: "^[^\\u0000]{1,256}$",
      description: "a text of 1 to 256 characters without U+0000",
      examples: ["ADULT-DAY"],
    }),
    qty: Type.Integer({
      minimum: 1,
      maximum: 10_000,
      description: "a whole number from 1 to 10000, written as plain digits",
    }),
    unit_price_minor: Type.Integer({
      minimum: 0,
      maximum: Number.MAX_SAFE_INTEGER,
      description:
        "a price in minor units: a whole number from 0 to 9007199254740991, written as plain digits",
      examples: [129900],
    }),
    currency: Type.String({
      pattern: "^[A-Z]{3}$",
      description: "three capital letters (ISO 4217)",
      examples: ["THB"],
    }),
    visit_date: Type.Optional(
      Type.String({
        format: "date",
        description: "a date that exists, as YYYY-MM-DD",
        examples: ["2026-12-24"],
      }),
    ),
    visit_time: Type.Optional(
      Type.String({
        pattern: "^([01][0-9]|2[0-3]):[0-5][0-9]$",
        description: "a time of day, as HH:MM",
        examples: ["09:30"],
      }),
    ),
  },
  { description: "an object with sku, qty, unit_price_minor and currency" },
);

/** The body of `POST /orders` (SPEC section 3). Unknown fields are kept, at every level. */
export const OrderInput = Type.Object(
  {
    external_order_id: Type.String({
      pattern: "^[!-~]{1,128}$",
      description: "1 to 128 visible ASCII characters (it travels in a header)",
      examples: ["EXT-42"],
    }),
    callback_url: Type.String({
      description: "a URL that the callback may be sent to",
      examples: ["https://partner.example.com/ota/callback"],
    }),
    items: Type.Array(OrderItem, {
      minItems: 1,
      maxItems: MAX_ITEMS,
      description: `a list of 1 to ${MAX_ITEMS} items`,
    }),
    buyer: Type.Optional(
      Type.Object({}, { description: "an object, whatever it holds", examples: [{ name: "Alex" }] }),
    ),
  },
  { description: "a JSON object" },
);
export type OrderInput = Static<typeof OrderInput>;
export type OrderItem = Static<typeof OrderItem>;

/** One reason why a body was refused; `pointer` is a JSON Pointer (RFC 6901). */
export interface InputProblem {
  readonly pointer: string;
  readonly detail: string;
}

const validatorNow = validatorOf(OrderInput);

/** Has the checks ready, so that no first order waits for them. */
export function prepareOrderInput(): void {
  validatorNow();
}

/**
 * Checks a parsed body without changing or coercing anything.
 *
 * @param notPlainIntegers pointers of the numbers that were not written as plain integers: JSON.parse makes
 *   `1.0` and `1e2` whole numbers, the contract does not
 */
export function checkOrderInput(
  value: unknown,
  notPlainIntegers: readonly string[],
): { ok: true; order: OrderInput } | { ok: false; problems: InputProblem[] } {
  // The length first: 100,000 broken elements are one problem.
  const tooMany = itemsBeyondLimit(value);
  if (tooMany) return { ok: false, problems: [{ pointer: "/items", detail: must(["items"]) }] };
  const problems: InputProblem[] = [];
  const validator = validatorNow();
  if (!validator.Check(value)) {
    for (const error of validator.Errors(value)) problems.push(...describe(error));
  } else {
    for (const pointer of notPlainIntegers) {
      if (/^\/items\/\d+\/(qty|unit_price_minor)$/.test(pointer)) problems.push(explain(pointer));
    }
    if (problems.length === 0) return { ok: true, order: value };
  }
  const unique = new Map(problems.map((problem) => [problem.pointer, problem]));
  return { ok: false, problems: [...unique.values()].slice(0, MAX_PROBLEMS) };
}

function itemsBeyondLimit(value: unknown): boolean {
  if (typeof value !== "object" || value === null || !("items" in value)) return false;
  return Array.isArray(value.items) && value.items.length > MAX_ITEMS;
}

type SchemaError = ReturnType<Validator<typeof OrderInput>["Errors"]>[number];

function describe(error: SchemaError): InputProblem[] {
  if (error.keyword === "required") {
    return error.params.requiredProperties.map((name) => ({
      pointer: `${error.instancePath}/${name}`,
      detail: "is required",
    }));
  }
  return [explain(error.instancePath)];
}

function explain(pointer: string): InputProblem {
  return { pointer, detail: must(pointer.split("/").slice(1)) };
}

/** What the schema says of the place: a member's own description, an element's that of `items`. */
function must(path: readonly string[]): string {
  let at: unknown = OrderInput;
  for (const part of path) at = member(member(at, "properties"), part) ?? member(at, "items");
  const description = member(at, "description");
  return `must be ${typeof description === "string" ? description : "valid"}`;
}

function member(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  return Reflect.get(value, name);
}
