import { deepEqual, equal } from "node:assert/strict";
import { test } from "node:test";
import { detailOf, DOOR, wordsOfRejection } from "../../console/src/pages/partners/refusal-words.ts";
import { type ProblemName, PROBLEMS } from "../../src/http/problem-reply.ts";

/** As `http/rejected-requests.ts` writes them. */
const rejection = (problem: ProblemName, more = "") => ({
  problem,
  reason: PROBLEMS[problem].detail + more,
});

test("of what was refused, what goes beyond the problem's own words", () => {
  const details = [
    rejection("key-reused"),
    rejection("invalid-order", "; /items/0/qty must be 1 or more; /items/1/note has one; two"),
    rejection("source-not-allowed", ": 198.51.100.7"),
    { problem: "invalid-partner", reason: "wrong_token" },
    { problem: "rate-limited", reason: "more than were kept one by one" },
    { problem: "of-tomorrow", reason: "new: it says; what it likes" },
  ].map(detailOf);
  deepEqual(details, [
    null,
    "/items/0/qty must be 1 or more; /items/1/note has one; two",
    "198.51.100.7",
    null,
    "more than were kept one by one",
    "new: it says; what it likes",
  ]);
});

test("who wasn't let in is told why; a problem that has no words yet has its name", () => {
  equal(wordsOfRejection({ problem: "invalid-partner", reason: "disabled" }), DOOR.disabled);
  equal(wordsOfRejection({ problem: "of-tomorrow", reason: "x" }).what, "of-tomorrow");
  // No name of what every object has is one of ours.
  equal(wordsOfRejection({ problem: "toString", reason: "constructor" }).what, "toString");
  equal(detailOf({ problem: "toString", reason: "constructor" }), "constructor");
});
