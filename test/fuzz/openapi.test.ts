import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import * as fc from "fast-check";
import { onEachDatabase } from "../support/databases.ts";
import { createAnswerCheck } from "./openapi/answers.ts";
import { type ApiDocument, type Operation, readDocument } from "./openapi/document.ts";
import type { Draft } from "./openapi/draft.ts";
import { draftsOf, examplesOf } from "./openapi/families.ts";
import { createResources } from "./openapi/resources.ts";
import { type Exchange, openWire, told, type Wire } from "./openapi/wire.ts";
import { knowledgeOf, startWorld, type World } from "./openapi/world.ts";
import { cases, createTally, shrunkInTime } from "./runs.ts";

/** Of requests under way at a time; about half as many on average. */
const MAX_TOGETHER = 64;
const BATCHES = 100;
/** Node's limit, but for what it doesn't count. */
const MAX_HEAD_BYTES = 16_000;
const EXPORT = "/admin/export.csv";
/** Its answer doesn't end. */
const LIVE = "/admin/live";
/** What a gateway that is well doesn't say. */
const NOT_MET = new Set([500, 503]);

onEachDatabase("requests made from the OpenAPI document", (kind) => {
  let world: World;
  let wire: Wire;
  let document: ApiDocument;
  let asked: readonly Operation[];
  before(async () => {
    world = await startWorld(kind);
    wire = openWire(world.gateway.url);
    document = readDocument(await (await world.gateway.get("/openapi.json")).json());
    // An operator's acts change what the other requests are answered with. They have tests of their own:
    // test/http/admin-actions.test.ts, admin-bulk.test.ts and admin-partners.test.ts.
    asked = document.operations.filter(
      ({ method, path }) => (!path.startsWith("/admin/") || method === "GET") && path !== LIVE,
    );
  });
  after(async () => {
    wire.close();
    await world.close();
  });

  test("every answer is as documented, what is accepted is stored whole, and nothing else is", async (t) => {
    const check = createAnswerCheck(document);
    const resources = createResources(document);
    const requests = createTally();
    const answers = createTally();
    let last = 0;
    for (const path of await world.madeByOperators()) resources.know(path);

    /** Sends them all at once, and holds what came of them against the document and the database. */
    async function run(drafts: readonly Draft[]): Promise<void> {
      const exchanges = await Promise.all(drafts.map(send));
      const stored = await world.storedAfter(last);
      last = stored.at(-1)?.id ?? last;
      for (const exchange of exchanges) judge(exchange);
      const created = new Map(exchanges.filter(isCreated).map((one) => [locationOf(one), one]));
      for (const { id, raw_payload, items } of stored) {
        const exchange = created.get(`/orders/${id}`);
        assert.ok(exchange !== undefined, `order ${id} is stored, and no answer says so: ${raw_payload}`);
        assert.equal(raw_payload, exchange.draft.body?.toString(), told(exchange));
        assert.equal(items, (JSON.parse(raw_payload) as { items: unknown[] }).items.length, told(exchange));
      }
      assert.equal(stored.length, created.size, "orders that were accepted");
    }

    // More exports at a time than a process makes are refused with a 503, as documented: here they come in turns.
    let exported: Promise<unknown> = Promise.resolve();
    function send(draft: Draft): Promise<Exchange> {
      const exchange = () => wire.exchange(draft, resources.known);
      if (draft.operation.path !== EXPORT) return exchange();
      const turn = exported.then(exchange);
      exported = turn.catch(() => {});
      return turn;
    }

    function judge(exchange: Exchange): void {
      const { draft: meant, answer, sent } = exchange;
      // A list that its schema allows may be longer than what goes before a body can be.
      const isLong = meant.body === null && sent.length > MAX_HEAD_BYTES && answer?.status === 431;
      const draft: Draft = isLong ? { ...meant, expected: 431 } : meant;
      const { method, path } = draft.operation;
      requests.add(draft.family);
      answers.add(`${method} ${path} ${answer?.status ?? "none"}`);
      try {
        if (answer !== null) check(draft, answer);
        else assert.equal(draft.framing, "cut", "only to a request that is cut short no answer is due");
        // Another partner's are not shown to this one.
        if (answer !== null && draft.expected === "success") resources.learn(answer);
      } catch (error) {
        throw new Error(`${(error as Error).message}\n${told(exchange)}`, { cause: error });
      }
    }

    await run(examplesOf(asked, document, knowledgeOf(world)));
    const batches = fc.array(draftsOf(asked, document, knowledgeOf(world)), {
      minLength: 1,
      maxLength: MAX_TOGETHER,
      size: "max",
    });
    await fc.assert(fc.asyncProperty(batches, shrunkInTime(run)), cases(BATCHES));

    requests.tell(t, "requests by family");
    answers.tell(t, "answers");
    const everywhere = asked
      .map(({ answers: own }) => new Set(own.keys()))
      .reduce((all, own) => all.intersection(own));
    for (const { method, path, answers: documented } of asked) {
      for (const status of new Set(documented.keys()).difference(everywhere)) {
        const met = answers.count(`${method} ${path} ${status}`);
        assert.ok(met > 0 || NOT_MET.has(status), `no request led to ${method} ${path} ${status}`);
      }
    }
  });

  test("the gateway is none the worse for it", async () => {
    for (const path of ["/health", "/ready"]) assert.equal((await world.gateway.get(path)).status, 200, path);
    assert.deepEqual(
      world.gateway.log.filter(({ level }) => level === "error" || level === "fatal"),
      [],
    );
    assert.equal(world.gateway.stderr(), "");
    assert.deepEqual(await world.gateway.stop(), { code: 0, signal: null });
  });
});

/** Whether the answer says that something new is there. */
function isCreated({ answer }: Exchange): boolean {
  return answer?.status === 201 && !answer.headers.some(([name]) => name === "idempotent-replayed");
}

function locationOf({ answer }: Exchange): string {
  return answer?.headers.find(([name]) => name === "location")?.[1] ?? "";
}
