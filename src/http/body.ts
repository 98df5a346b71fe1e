import type { FastifyRequest } from "fastify";
import { type Static, type TSchema, Type } from "typebox";
import type { InputProblem } from "../orders/order-input.ts";
import { MAX_PROBLEMS, validatorOf } from "../orders/validator.ts";
import type { JsonBody } from "./json-body.ts";
import { Problem } from "./problem-reply.ts";

/** One line of text by a person, for the record. */
export const Reason = Type.String({
  pattern: "^(?=.*\\S)[^\\u0000-\\u001f\\u007f-\\u009f]{1,500}$",
  description: "why, for the record: 1 to 500 characters on one line",
  examples: ["ticketing is back"],
});

/**
 * Reads bodies of a shape, without changing or coercing anything. What the schema doesn't name is refused: a misspelt
 * setting must not be passed over. Descriptions complete "must be ...".
 * @returns a reader, which throws Problem 400 with everything that is wrong
 */
export function createBodyReader<T extends TSchema>(schema: T): (request: FastifyRequest) => Static<T> {
  const validatorNow = validatorOf(schema);
  return (request) => {
    const validator = validatorNow();
    const { value } = request.body as JsonBody;
    if (validator.Check(value)) return value;
    const problems = new Map<string, InputProblem>();
    for (const error of validator.Errors(value)) {
      const at = error.instancePath;
      if (error.keyword === "required") {
        for (const name of error.params.requiredProperties)
          problems.set(`${at}/${name}`, { pointer: `${at}/${name}`, detail: "is required" });
      } else if (error.keyword === "additionalProperties") {
        for (const name of error.params.additionalProperties)
          problems.set(`${at}/${name}`, unknownMember(at, name, schema));
      } else if (!problems.has(at)) problems.set(at, { pointer: at, detail: must(schema, at) });
    }
    throw new Problem("invalid-body", { errors: [...problems.values()].slice(0, MAX_PROBLEMS) });
  };
}

function unknownMember(at: string, name: string, schema: TSchema): InputProblem {
  const known = Object.keys(member(schema, "properties") ?? {});
  const pointer = `${at}/${name.slice(0, 64).replaceAll("~", "~0").replaceAll("/", "~1")}`;
  return { pointer, detail: at === "" ? `is unknown; known are ${known.join(", ")}` : "is unknown" };
}

/** What the schema says of the place, or of the nearest one above it that says something. */
function must(schema: TSchema, pointer: string): string {
  let at: unknown = schema;
  let description = "valid";
  for (const part of ["", ...pointer.split("/").slice(1)]) {
    if (part !== "") at = member(member(at, "properties"), part) ?? member(at, "items");
    const said = member(at, "description");
    if (typeof said === "string") description = said;
  }
  return `must be ${description}`;
}

function member(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  return Reflect.get(value, name);
}
