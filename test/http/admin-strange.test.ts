import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { onEachDatabase } from "../support/databases.ts";
import { addOperator, type Door, openDoor } from "./door.ts";

onEachDatabase("strange questions of operators", (kind) => {
  let door: Door;
  let viewer: { authorization: string };
  before(async () => {
    door = await openDoor({ kind });
    viewer = await addOperator(door, "vera", { role: "viewer" });
    assert.equal((await door.post()).statusCode, 201);
  });
  after(() => door.close());

  const HUGE = "9999999999999999";
  const LARGE = "999999999999999";
  const questions: readonly string[] = [
    ...["attempts?cursor=", "attempts?failed=true&cursor="].flatMap((list) => [
      `${list}${HUGE}`,
      `${list}${LARGE}`,
      `${list}${[LARGE, LARGE, LARGE, LARGE].join(".")}`,
      `${list}${[HUGE, HUGE, HUGE, HUGE].join(".")}`,
    ]),
    ...["auth-events", "rejections"].map((list) => `${list}?cursor=${HUGE}.${HUGE}`),
    ...["orders", "jobs"].map((list) => `${list}?cursor=${HUGE}`),
    `orders?q=${"x".repeat(10_000)}`,
    `orders?q=${HUGE}&id=9007199254740991&created_from=0000-01-01&created_before=9999-12-31`,
    "orders?q=%00&partner=%00&error_group=%00",
    `orders?error_group=${encodeURIComponent("ticketing|%|503|\u{1F600}")}`,
    "orders?visit_from=0000-01-01&visit_to=9999-12-31&past_due=true&code=999&error=timeout",
    "orders?__proto__=1&constructor=2",
    "orders/counts?created_from=9999-12-31T23:59:59.999-23:59&status=closed",
    "errors?since=0000-01-01",
    "errors?since=9999-12-31T23:59:59Z",
    "attempts?order=9007199254740991&since=0000-01-01&until=9999-12-31",
    "partners?after=%00",
    `partners?after=${"z".repeat(10_000)}`,
    "partners?after=%F0%9F%98%80",
    `bulk?before=${HUGE}`,
    "bulk?before=9007199254740991",
    "bulk/9007199254740991?after=9007199254740991",
    "export.csv?q=%00",
    `export.csv?created_before=0000-01-01&partner=${"p".repeat(128)}`,
  ];
  for (const question of questions) {
    test(question.slice(0, 100), async () => {
      const { statusCode, body } = await door.get(`/admin/${question}`, viewer);
      assert.ok([200, 400, 404].includes(statusCode), `${statusCode} ${body}`);
    });
  }
});
