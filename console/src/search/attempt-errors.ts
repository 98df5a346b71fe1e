import { ATTEMPT_ERRORS } from "../../../src/orders/outcome.ts";

/** Why an attempt brought no whole answer: the values of the filter `error`. */
export const ERRORS: readonly string[] = ATTEMPT_ERRORS;
