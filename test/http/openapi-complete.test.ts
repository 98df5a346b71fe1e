import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { Compile } from "typebox/schema";
import { EXAMPLE_SECRET } from "../../src/http/example-order.ts";
import { PROBLEMS } from "../../src/http/problem-reply.ts";
import { canonicalJson } from "../../src/orders/fingerprint.ts";
import { exportText } from "../../src/orders/order-export.ts";
import { signingKey, verifyCallback } from "../../src/outbound/signature.ts";
import { type Door, openDoor } from "./door.ts";

type Json = Record<string, unknown>;

let door: Door;
let document: Json;
before(async () => {
  door = await openDoor();
  document = (await door.app.inject("/openapi.json")).json<Json>();
});
after(() => door.close());

interface Place {
  readonly where: string;
  readonly operation: Json;
}

/** Every operation, those that the gateway asks of partners too. */
function operations(): Place[] {
  return ["paths", "webhooks"].flatMap((kind) =>
    Object.entries(document[kind] as Json).flatMap(([path, item]) =>
      Object.entries(item as Json).map(([method, operation]) => ({
        where: `${method} ${path}`,
        operation: operation as Json,
      })),
    ),
  );
}

/** Bodies and headers, each with what is said of it. */
function shown(): { where: string; isHeader: boolean; media: Json }[] {
  return operations().flatMap(({ where, operation }) => {
    const { requestBody = {}, responses, parameters = [] } = operation;
    const holders = [["body", requestBody], ...Object.entries(responses as Json)] as [string, Json][];
    return [
      ...(parameters as Json[]).map((media) => ({
        where: `${where}, ${String(media["name"])}`,
        isHeader: true,
        media,
      })),
      ...holders.flatMap(([status, { content = {}, headers = {} }]) => [
        ...Object.entries(content as Json).map(([type, media]) => ({
          where: `${where}, ${status}, ${type}`,
          isHeader: false,
          media: media as Json,
        })),
        ...Object.entries(headers as Json).map(([name, media]) => ({
          where: `${where}, ${status}, ${name}`,
          isHeader: true,
          media: media as Json,
        })),
      ]),
    ];
  });
}

function examplesOf({ example, examples }: Json): unknown[] {
  const named = Object.values((examples ?? {}) as Json).map((one) => (one as Json)["value"]);
  return example === undefined ? named : [example, ...named];
}

/** The schema with what its references name. */
function resolved(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(resolved);
  if (typeof value !== "object" || value === null) return value;
  const { $ref } = value as Json;
  if (typeof $ref !== "string") {
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, resolved(one)]));
  }
  const names = $ref.replace("#/", "").split("/");
  return resolved(names.reduce<unknown>((at, name) => (at as Json)[name], document));
}

suite("the document is complete", () => {
  test("every operation has a name of its own, a summary, a description and a known tag", () => {
    const tags = new Set((document["tags"] as Json[]).map(({ name }) => name));
    const names = new Set<unknown>();
    for (const { where, operation } of operations()) {
      const { operationId, summary, description, tags: own } = operation;
      assert.ok(summary && description, `${where}: no words`);
      assert.ok(operationId && !names.has(operationId), `${where}: ${String(operationId)}`);
      names.add(operationId);
      assert.equal((own as unknown[]).length, 1, where);
      assert.ok(tags.has((own as unknown[])[0]), where);
    }
    assert.ok(names.size > 30);
    for (const tag of document["tags"] as Json[]) assert.ok(tag["description"]);
  });

  test("every body and header has an example, and every example is right", () => {
    const compiled = new Map<string, ReturnType<typeof Compile>>();
    const all = shown();
    assert.ok(all.length > 500);
    for (const { where, isHeader, media } of all) {
      const examples = examplesOf(media);
      assert.ok(examples.length > 0, `${where}: no example`);
      if (isHeader) assert.ok(media["description"], `${where}: no description`);
      const schema = JSON.stringify(media["schema"]);
      const check = compiled.get(schema) ?? Compile(resolved(media["schema"]) as Json);
      compiled.set(schema, check);
      for (const example of examples) {
        const problems = check.Check(example) ? [] : check.Errors(example);
        assert.deepEqual(problems, [], `${where}: ${JSON.stringify(example)}`);
      }
    }
  });

  test("every failure is told as problem details, and every kind of problem is shown", () => {
    const kinds = new Set<string>();
    const guarded = operations().filter(
      ({ operation }) => operation["security"] || operation["operationId"] === "signIn",
    );
    for (const { where, operation } of guarded) {
      for (const [status, answer] of Object.entries(operation["responses"] as Record<string, Json>)) {
        if (Number(status) < 400) continue;
        const problem = (answer["content"] as Record<string, Json>)["application/problem+json"];
        assert.ok(problem, `${where}, ${status}`);
        for (const [kind, example] of Object.entries(problem["examples"] as Record<string, Json>)) {
          kinds.add(kind);
          assert.equal((example["value"] as Json)["status"], Number(status), `${where}, ${kind}`);
        }
      }
    }
    // What is answered where there is no operation.
    const expected = Object.keys(PROBLEMS).filter((kind) => kind !== "method-not-allowed");
    assert.deepEqual([...kinds].toSorted(), expected.toSorted());
  });

  test("every way in is described, and there is none that isn't used", () => {
    const { securitySchemes: schemes } = document["components"] as Record<string, Record<string, Json>>;
    for (const scheme of Object.values(schemes!)) assert.ok(scheme["description"]);
    const used = operations().flatMap(({ operation }) =>
      ((operation["security"] ?? []) as Json[]).flatMap((way) => Object.keys(way)),
    );
    assert.deepEqual([...new Set(used)].toSorted(), Object.keys(schemes!).toSorted());
  });
});

suite("what the examples show is so", () => {
  test("callbacks are signed as they would be", () => {
    const webhooks = Object.entries(document["webhooks"] as Record<string, { post: Json }>);
    assert.deepEqual(
      webhooks.map(([name]) => name),
      ["order.ticketed", "order.blocked", "order.exhausted", "order.cancelled", "wavegate.test"],
    );
    for (const [name, { post }] of webhooks) {
      const { content } = post["requestBody"] as { content: Record<string, { example: Json }> };
      const { example } = content["application/json"]!;
      assert.equal(example["event"], name);
      const headers = Object.fromEntries(
        (post["parameters"] as { name: string; example: string }[]).map((one) => [
          one.name.toLowerCase(),
          one.example,
        ]),
      );
      assert.equal(headers["webhook-id"], example["event_id"]);
      const body = canonicalJson(example);
      const nowSecs = Number(headers["webhook-timestamp"]);
      assert.ok(verifyCallback({ body, headers, keys: [signingKey(EXAMPLE_SECRET)], nowSecs }), name);
    }
  });

  test("the export is as the order of the examples would be exported", async () => {
    const { "/orders/{id}": one, "/admin/export.csv": csv } = document["paths"] as Record<string, Json>;
    const exampleAt = (item: Json | undefined, type: string): unknown => {
      const { responses } = item!["get"] as { responses: Record<string, { content: Record<string, Json> }> };
      return responses["200"]!.content[type]!["example"];
    };
    const order = exampleAt(one, "application/json") as Record<string, string> & { items: Json[] };
    const exported = {
      id: Number(order["id"]),
      partnerId: order["partner_id"]!,
      externalOrderId: order["external_order_id"]!,
      reference: order["reference"]!,
      traceId: order["trace_id"]!,
      status: "ota_callback_delivered" as const,
      createdAt: Date.parse(order["created_at"]!),
      ticketedAt: Date.parse(order["ticketed_at"]!),
      deliveredAt: Date.parse(order["delivered_at"]!),
      items: order.items.map((item, index) => ({
        no: index + 1,
        sku: String(item["sku"]),
        qty: Number(item["qty"]),
        unitPriceMinor: Number(item["unit_price_minor"]),
        currency: String(item["currency"]),
        visitDate: String(item["visit_date"]),
        visitTime: String(item["visit_time"]),
      })),
      tickets: order["tickets"]!.length,
      codes: null,
    };
    async function* pages() {
      yield [exported];
    }
    let text = "";
    for await (const piece of exportText("csv", pages(), false)) text += piece;
    assert.equal(exampleAt(csv, "text/csv"), text);
  });
});

/** The fields that OpenAPI 3.1.0 gives each kind of object, and those that it must have (sections 4.8.*). */
const FIELDS: Readonly<Record<string, { must: readonly string[]; may: readonly string[] }>> = {
  document: {
    must: ["openapi", "info", "paths"],
    may: ["servers", "webhooks", "components", "security", "tags", "jsonSchemaDialect", "externalDocs"],
  },
  info: {
    must: ["title", "version"],
    may: ["summary", "description", "termsOfService", "contact", "license"],
  },
  operation: {
    must: ["responses"],
    may: ["tags", "summary", "description", "operationId", "parameters", "requestBody", "security"],
  },
  parameter: {
    must: ["name", "in", "schema"],
    may: ["description", "required", "deprecated", "example", "examples", "style", "explode"],
  },
  header: { must: ["schema"], may: ["description", "required", "deprecated", "example", "examples"] },
  body: { must: ["content"], may: ["description", "required"] },
  response: { must: ["description"], may: ["headers", "content", "links"] },
  media: { must: ["schema"], may: ["example", "examples", "encoding"] },
  example: { must: ["value"], may: ["summary", "description"] },
};

function checkFields(kind: string, value: Json, where: string): void {
  const { must, may } = FIELDS[kind]!;
  const names = Object.keys(value);
  assert.deepEqual(
    names.filter((name) => !must.includes(name) && !may.includes(name)),
    [],
    `${where}: no fields of a ${kind}`,
  );
  for (const name of must) assert.ok(names.includes(name), `${where}: a ${kind} must have ${name}`);
}

test("the document is OpenAPI 3.1 in form", () => {
  checkFields("document", document, "/");
  checkFields("info", document["info"] as Json, "info");
  assert.deepEqual(document["servers"], [
    { url: ".", description: "the gateway that this document comes from" },
  ]);
  const checkContent = (content: Json, where: string): void => {
    for (const [type, media] of Object.entries(content)) {
      assert.match(type, /^[a-z]+\/[a-z.+-]+$/, where);
      checkFields("media", media as Json, `${where}, ${type}`);
      const { example, examples } = media as Json;
      assert.ok(example === undefined || examples === undefined, `${where}: example and examples`);
      for (const one of Object.values((examples ?? {}) as Json)) checkFields("example", one as Json, where);
    }
  };
  for (const path of Object.keys(document["paths"] as Json)) assert.match(path, /^\//);
  for (const { where, operation } of operations()) {
    checkFields("operation", operation, where);
    const { parameters = [], requestBody, responses } = operation;
    const seen = (parameters as Json[]).map((one) => `${String(one["in"])} ${String(one["name"])}`);
    assert.equal(new Set(seen).size, seen.length, `${where}: a parameter twice`);
    for (const parameter of parameters as Json[]) {
      checkFields("parameter", parameter, where);
      assert.ok(["path", "query", "header"].includes(String(parameter["in"])), where);
      if (parameter["in"] === "path") assert.equal(parameter["required"], true, where);
    }
    if (requestBody !== undefined) {
      checkFields("body", requestBody as Json, where);
      checkContent((requestBody as Json)["content"] as Json, where);
    }
    for (const [status, response] of Object.entries(responses as Record<string, Json>)) {
      assert.match(status, /^[1-5](?:\d\d|XX)$/, where);
      checkFields("response", response, `${where}, ${status}`);
      checkContent((response["content"] ?? {}) as Json, `${where}, ${status}`);
      for (const header of Object.values((response["headers"] ?? {}) as Json))
        checkFields("header", header as Json, `${where}, ${status}`);
    }
  }
});
