import type { FastifyRequest } from "fastify";
import type { Operator } from "../storage/operators.ts";
import { Problem } from "./problem-reply.ts";

/** Where a request to `/admin` carries who sent it. */
export const OPERATOR = "operator";

/** The operator who sent a request to `/admin`. */
export function operatorOf(request: FastifyRequest): Operator {
  return request.getDecorator<Operator>(OPERATOR);
}

/** Whoever may not act is turned away: for reads that show more than a viewer sees. @throws Problem 403 */
export function requireActing(operator: Operator): Operator {
  if (operator.role !== "operator") throw new Problem("operator-needed");
  return operator;
}
