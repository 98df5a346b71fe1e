import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Compile } from "typebox/schema";
import { type Door, openDoor } from "./door.ts";

let door: Door;
let document: Record<string, never>;
before(async () => {
  door = await openDoor();
  const reply = await door.app.inject("/openapi.json");
  assert.equal(reply.statusCode, 200);
  assert.match(String(reply.headers["content-type"]), /^application\/json/);
  document = reply.json();
});
after(() => door.close());

/** The value at a path of names. */
function at(...path: string[]): unknown {
  let value: unknown = document;
  for (const name of path) value = (value as Record<string, unknown> | undefined)?.[name];
  return value;
}
const keys = (...path: string[]) => Object.keys(at(...path) as object).sort();

test("every path is described, and no other", () => {
  assert.equal(at("openapi"), "3.1.0");
  const operations = keys("paths").map((path) => [path].concat(keys("paths", path)));
  const isAdmin = ([path]: string[]) => path!.startsWith("/admin/");
  for (const [path = "", ...methods] of operations.filter(isAdmin)) {
    for (const method of methods) {
      const own = ["paths", path, method];
      // Whoever signs in isn't signed in yet.
      const isOpen = path === "/admin/session" && method === "post";
      assert.deepEqual(
        [at(...own, "security"), at(...own, "tags")],
        [isOpen ? undefined : [{ operatorToken: [] }, { operatorSession: [] }], ["admin"]],
        path,
      );
    }
  }
  assert.deepEqual(
    operations.filter((each) => !isAdmin(each)),
    [
      ["/docs", "get"],
      ["/health", "get"],
      ["/metrics", "get"],
      ["/openapi.json", "get"],
      ["/orders", "get", "post"],
      ["/orders/{id}", "get"],
      ["/orders/{id}/events", "get"],
      ["/ready", "get"],
    ],
  );
});

test("POST /orders: every status, the headers, the body", () => {
  const post = ["paths", "/orders", "post"];
  assert.deepEqual(keys(...post, "responses"), [
    "201",
    "400",
    "401",
    "403",
    "408",
    "409",
    "413",
    "415",
    "422",
    "429",
    "431",
    "500",
    "503",
  ]);
  assert.deepEqual(keys(...post, "responses", "201", "headers"), [
    "Idempotent-Replayed",
    "Location",
    "X-Trace-Id",
  ]);
  const created = [...post, "responses", "201", "content", "application/json", "schema"];
  assert.deepEqual(at(...created, "required"), [
    "id",
    "partner_id",
    "external_order_id",
    "trace_id",
    "pipeline_status",
    "created_at",
  ]);
  const schema = [...post, "requestBody", "content", "application/json", "schema"];
  assert.deepEqual(at(...schema, "required"), ["external_order_id", "callback_url", "items"]);
  const parameters = at(...post, "parameters") as { name: string }[];
  assert.deepEqual(parameters.map(({ name }) => name).toSorted(), ["Idempotency-Key", "wait"]);
  assert.deepEqual(at(...post, "security"), [{ partnerId: [], partnerToken: [] }]);
  const refused = [...post, "responses", "400", "content", "application/problem+json"];
  assert.deepEqual(keys(...refused, "examples"), [
    "bad-request",
    "invalid-callback-url",
    "invalid-idempotency-key",
    "invalid-json",
    "invalid-order",
    "invalid-query",
  ]);
  assert.ok(at(...post, "responses", "429", "headers", "Retry-After"));
  assert.ok(at(...post, "responses", "401", "headers", "WWW-Authenticate"));
});

test("a header that no answer goes without is required, and a schema says nothing of that", () => {
  const responses = ["paths", "/orders", "post", "responses"];
  const requiredIn = (status: string) =>
    keys(...responses, status, "headers").filter((name) =>
      at(...responses, status, "headers", name, "required"),
    );
  assert.deepEqual(requiredIn("201"), ["Location", "X-Trace-Id"]);
  assert.deepEqual(requiredIn("401"), ["WWW-Authenticate"]);
  // A key that is undecided has it, a repeated order has not.
  assert.deepEqual(requiredIn("409"), []);
  assert.deepEqual(requiredIn("429"), ["Retry-After"]);
  assert.deepEqual(requiredIn("503"), ["Retry-After"]);
  assert.ok(!JSON.stringify(document).includes("x-always"));
});

test("what the gateway refuses is not described as right", async () => {
  const post = ["paths", "/orders", "post"];
  const body = [...post, "requestBody", "content", "application/json", "schema", "properties"];
  assert.equal(at(...body, "items", "items", "properties", "visit_date", "format"), "date");
  assert.equal(at(...body, "callback_url", "format"), "uri");
  assert.equal(at(...body, "callback_url", "maxLength"), 2048);
  const ofPost = at(...post, "parameters") as { name: string; schema: Record<string, unknown> }[];
  const schemaOf = (name: string) => ofPost.find((parameter) => parameter.name === name)!.schema;
  const { minimum, maximum } = schemaOf("wait");
  assert.deepEqual([minimum, maximum], [0, 30]);
  const key = new RegExp(String(schemaOf("Idempotency-Key")["pattern"]));
  assert.deepEqual(
    ['""', "", "k", '"', '"k"', "k".repeat(256)].map((text) => key.test(text)),
    [false, false, true, true, true, false],
  );
  for (const path of ["/orders", "/orders/{id}"]) {
    const parameters = at("paths", path, "get", "parameters") as { name: string; schema: object }[];
    const { schema } = parameters.find(({ name }) => name === "before" || name === "id")!;
    assert.deepEqual(schema, { type: "integer", minimum: 1, maximum: Number.MAX_SAFE_INTEGER });
  }
});

test("every parameter says what it is, where it ends, and shows a value that is right", () => {
  const isBounded = (schema: Record<string, unknown>): boolean => {
    const { type, anyOf } = schema;
    if (Array.isArray(anyOf)) return anyOf.every((one) => isBounded(one as Record<string, unknown>));
    if (type === "array")
      return "maxItems" in schema && isBounded(schema["items"] as Record<string, unknown>);
    const bounds = type === "integer" ? ["minimum", "maximum"] : ["enum", "const", "pattern", "format"];
    return type === "boolean" || bounds.some((bound) => bound in schema);
  };
  const seen = keys("paths").flatMap((path) =>
    keys("paths", path).flatMap((method) => {
      const parameters = (at("paths", path, method, "parameters") ?? []) as Record<string, unknown>[];
      return parameters.map((parameter) => ({
        ...parameter,
        where: `${method} ${path} ${String(parameter["name"])}`,
      }));
    }),
  ) as { where: string; description?: string; example?: unknown; schema: Record<string, unknown> }[];
  assert.ok(seen.length > 100);
  for (const { where, description, example, schema } of seen) {
    assert.ok(description, `${where}: no description`);
    assert.ok(isBounded(schema), `${where}: no bounds`);
    assert.ok(Compile(schema).Check(example), `${where}: ${JSON.stringify(example)} is no example`);
  }
});

test("every reference leads somewhere", () => {
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, path]) => path!);
  assert.ok(references.length > 0);
  for (const reference of new Set(references)) {
    assert.ok(at(...reference.replace("#/", "").split("/")), reference);
  }
});

test("a real order is as its schema says", async () => {
  const { id } = (await door.post()).json();
  const order = (await door.get(`/orders/${id}`)).json();
  const schema = [
    "paths",
    "/orders/{id}",
    "get",
    "responses",
    "200",
    "content",
    "application/json",
    "schema",
  ];
  const required = at(...schema, "required") as string[];
  assert.deepEqual(Object.keys(order).sort(), required.toSorted());
});
