import assert from "node:assert/strict";
import { test } from "node:test";
import { PROBLEMS } from "../../src/http/problem-reply.ts";
import { describeWebhooks } from "../../src/http/webhooks.ts";
import { ORDER_STATUSES } from "../../src/orders/states.ts";
import { readPage } from "./documents.ts";

const { prose } = readPage("docs/for-partners.md");

/** What stands between backticks, or as a number, in the first cells of the table that begins so. */
function firstCells(head: string): string[] {
  const [, table = ""] = prose.split(`\n| ${head} |`);
  const rows = table.split("\n\n")[0]!.split("\n").slice(2);
  return rows.flatMap((row) => row.split("|")[1]!.match(/[a-z_.]+…?|\d{3}/g) ?? []);
}

const sorted = (names: Iterable<string>): string[] => [...new Set(names)].toSorted();

test("every status of an order is told, and no other", () => {
  assert.deepEqual(sorted(firstCells("`status` | the order")), sorted(ORDER_STATUSES));
});

test("every status of a refusal is told, and no other", () => {
  const statuses = Object.values(PROBLEMS).map(({ status }) => String(status));
  assert.deepEqual(sorted(firstCells("status | `detail` begins with | what to do")), sorted(statuses));
});

test("every event and every reason is told, and no other", () => {
  const webhooks = describeWebhooks() as Record<string, { post: { requestBody: Body } }>;
  const events = Object.keys(webhooks).filter((name) => name.startsWith("order."));
  assert.deepEqual(sorted(firstCells("`event` | the order | final")), sorted(events));
  const schemas = Object.values(webhooks).map(
    ({ post }) => post.requestBody.content["application/json"]!.schema,
  );
  const reasons = schemas.flatMap(({ properties }) => properties["reason_code"]?.enum ?? []);
  assert.deepEqual(sorted(firstCells("`reason_code` | meaning | what you may do")), sorted(reasons));
});

interface Body {
  readonly content: Record<string, { schema: { properties: Record<string, { enum?: string[] }> } }>;
}
