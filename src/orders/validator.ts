import { createRequire } from "node:module";
import type { Static, TSchema } from "typebox";
import type * as Compiler from "typebox/compile";
import type { System } from "typebox/system";

/** Checks values by a schema, without changing or coercing anything. */
export interface Validator<T extends TSchema> {
  Check(value: unknown): value is Static<T>;
  /** All of them, up to {@link MAX_PROBLEMS}. */
  Errors(value: unknown): ReturnType<Compiler.Validator["Errors"]>;
}

/** Problems that one answer lists (SPEC section 3). */
export const MAX_PROBLEMS = 20;

const require = createRequire(import.meta.url);

/**
 * The validator of a schema, compiled when it is first asked for: the compiler's 300 modules would be a sixth of all that is
 * loaded before a gateway listens.
 */
export function validatorOf<T extends TSchema>(schema: T): () => Validator<T> {
  let made: Validator<T> | null = null;
  return () => (made ??= compile(schema));
}

function compile<T extends TSchema>(schema: T): Validator<T> {
  const { Settings } = (require("typebox/system") as { System: typeof System }).System;
  Settings.Set({ maxErrors: MAX_PROBLEMS });
  const { Compile } = require("typebox/compile") as typeof Compiler;
  return Compile(schema) as unknown as Validator<T>;
}
