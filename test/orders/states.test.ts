import assert from "node:assert/strict";
import { test } from "node:test";
import { isEdge, JOB_STATUSES, LEGS, ORDER_EDGES, ORDER_STATUSES } from "../../src/orders/states.ts";
import { onFirstClaim, onRetry, orderAfterJob } from "../../src/orders/transitions.ts";
import { mayHaveMoved, SPEC_MAP } from "./spec-map.ts";

test("the map is SPEC section 4's, edge by edge", () => {
  const edges = new Set(ORDER_EDGES.map(({ from, to }) => `${from} -> ${to}`));
  assert.deepEqual([...edges].toSorted(), [...SPEC_MAP].toSorted());
  for (const from of ORDER_STATUSES) {
    for (const to of ORDER_STATUSES) assert.equal(isEdge(from, to), SPEC_MAP.has(`${from} -> ${to}`));
  }
});

test("every status is reached from accepted, and only cancelled and closed are ends", () => {
  const reached = new Set(["accepted"]);
  for (const from of reached) {
    for (const { from: start, to } of ORDER_EDGES) if (start === from) reached.add(to);
  }
  assert.deepEqual([...reached].toSorted(), [...ORDER_STATUSES].toSorted());
  const ends = ORDER_STATUSES.filter((status) => !ORDER_EDGES.some(({ from }) => from === status));
  assert.deepEqual(ends, ["cancelled", "closed"]);
  assert.ok(mayHaveMoved("accepted", "ticketing_exhausted") && !mayHaveMoved("ticketed", "cancelled"));
});

test("the first claim of a leg moves the order along an edge", () => {
  assert.deepEqual(LEGS.map(onFirstClaim), [
    { from: "accepted", to: "ticketing_processing" },
    { from: "ticketed", to: "ota_callback_pending" },
  ]);
});

test("the end of a job puts the order one edge from where the leg is worked", () => {
  for (const leg of LEGS) {
    const { to: worked } = onFirstClaim(leg);
    for (const job of JOB_STATUSES) {
      const order = orderAfterJob(leg, job);
      if (job === "pending" || job === "running") assert.equal(order, null);
      // Closed is reached from where the job stands still.
      else if (order !== null && job !== "closed") assert.ok(isEdge(worked, order), `${leg} ${job}`);
    }
  }
  assert.equal(orderAfterJob("callback", "unknown"), null);
  assert.equal(orderAfterJob("callback", "cancelled"), null);
  assert.equal(orderAfterJob("ticketing", "closed"), "closed");
});

test("an operator's retry works the leg again that came to stand still", () => {
  const retried = ORDER_STATUSES.flatMap((status) => {
    const retry = onRetry(status);
    return retry === null ? [] : [`${status}: ${retry.leg} ${retry.to}`];
  });
  assert.deepEqual(retried.toSorted(), [
    "ota_callback_blocked: callback ota_callback_pending",
    "ota_callback_exhausted: callback ota_callback_pending",
    "ticketing_blocked: ticketing ticketing_processing",
    "ticketing_exhausted: ticketing ticketing_processing",
    "ticketing_unknown: ticketing ticketing_processing",
  ]);
});
