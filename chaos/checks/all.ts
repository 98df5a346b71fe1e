import type { Evidence } from "../evidence.ts";
import { checkAcceptance } from "./acceptance.ts";
import { checkAttempts } from "./attempts.ts";
import type { Invariant } from "./invariant.ts";
import { checkMessages } from "./messages.ts";
import { checkProcesses } from "./processes.ts";
import { checkWay } from "./way.ts";

/** SPEC section 7 and what it rests on, from both sides. */
export function checkAll(evidence: Evidence): Invariant[] {
  return [checkAcceptance, checkWay, checkAttempts, checkMessages, checkProcesses].flatMap((check) =>
    check(evidence),
  );
}
