import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import {
  type AttemptFilter,
  createListAttempts,
  type ListedAttempt,
} from "../../src/storage/attempt-list.ts";
import type { Place } from "../../src/storage/lists.ts";
import type { Storage } from "../../src/storage/open.ts";
import { freshStorage, onEachDatabase } from "../support/databases.ts";
import { addPartner } from "../support/way.ts";
import { claimOne, NOW, place, settle, settlement } from "./fixtures.ts";

const SECOND = 1000;
const ANY: AttemptFilter = {
  leg: null,
  code: null,
  error: null,
  partnerId: null,
  orderId: null,
  failed: false,
  since: null,
  until: null,
};

onEachDatabase("the list of attempts", (kind) => {
  let storage: Storage;
  const ids: number[] = [];
  before(async () => {
    storage = await freshStorage(kind);
    await addPartner(storage);
    const accept = async (at: number) => ids.push((await place(storage, undefined, at))[0]!.id);
    const attempt = async (
      leg: "ticketing" | "callback",
      job: "succeeded" | "pending" | "blocked",
      at: number,
      more = {},
    ) => settle(storage, leg, settlement(leg, await claimOne(storage, leg, { now: at }), job, more), at);
    // The first order fails, then fails again after the second has come.
    await accept(NOW);
    await attempt("ticketing", "pending", NOW);
    await accept(NOW + SECOND);
    await attempt("ticketing", "succeeded", NOW + SECOND);
    await attempt("callback", "blocked", NOW + SECOND);
    const timeout = { code: null, error: "timeout", durationMs: 9, answer: null, note: "no answer" } as const;
    await attempt("ticketing", "pending", NOW + 2 * SECOND, { attempt: timeout });
    await accept(NOW + 3 * SECOND);
  });
  after(() => storage.close());

  const brief = ({ leg, order_id, no, code, error }: ListedAttempt) =>
    `${ids.indexOf(order_id) + 1} ${leg} ${no} ${code ?? error}`;
  /** In pages of one. */
  async function listed(filter: Partial<AttemptFilter>): Promise<string[]> {
    const found: string[] = [];
    for (let after: Place | null = null, first = true; first || after !== null; first = false) {
      const page = await storage.listAttempts({ ...ANY, ...filter }, after, 1);
      found.push(...page.rows.map(brief));
      after = page.next;
    }
    return found;
  }

  test("failed ones in the order of their time, whatever order they are of", async () => {
    const all = ["1 ticketing 2 timeout", "2 callback 1 422", "1 ticketing 1 500"];
    assert.deepEqual(await listed({ failed: true }), all);
    assert.deepEqual(await listed({ failed: true, leg: "ticketing" }), [all[0], all[2]]);
    assert.deepEqual(await listed({ code: 500 }), [all[2]]);
    assert.deepEqual(await listed({ error: "timeout" }), [all[0]]);
    assert.deepEqual(await listed({ failed: true, since: NOW + SECOND, until: NOW + 2 * SECOND }), [all[1]]);
    assert.deepEqual(await listed({ failed: true, partnerId: "nobody" }), []);
    assert.deepEqual(await listed({ code: 500, error: "timeout" }), []);
  });

  test("a partner's are looked for a stretch at a time", async () => {
    const short = createListAttempts(storage.database, 1);
    const pages: string[][] = [];
    for (let after: Place | null = null, first = true; first || after !== null; first = false) {
      const page = await short({ ...ANY, failed: true, leg: "ticketing", partnerId: "demo" }, after, 5);
      pages.push(page.rows.map(brief));
      after = page.next;
    }
    assert.deepEqual(pages, [["1 ticketing 2 timeout", "1 ticketing 1 500"], []]);
    assert.deepEqual((await short({ ...ANY, failed: true, partnerId: "nobody" }, null, 5)).rows, []);
  });

  test("all of them by their orders, the newest first", async () => {
    const all = ["2 callback 1 422", "2 ticketing 1 200", "1 ticketing 2 timeout", "1 ticketing 1 500"];
    assert.deepEqual(await listed({}), all);
    assert.deepEqual(await listed({ code: 200 }), [all[1]]);
    assert.deepEqual(await listed({ orderId: ids[0]! }), [all[2], all[3]]);
    assert.deepEqual(await listed({ orderId: ids[1]!, failed: true }), [all[0]]);
    assert.deepEqual(await listed({ until: NOW + SECOND }), [all[3]]);
  });

  test("a row tells what an attempt brought", async () => {
    const { rows } = await storage.listAttempts({ ...ANY, error: "timeout" }, null, 1);
    assert.deepEqual(rows, [
      {
        leg: "ticketing",
        job_id: ids[0],
        order_id: ids[0],
        partner_id: "demo",
        no: 2,
        code: null,
        error: "timeout",
        at: NOW + 2 * SECOND,
        duration_ms: 9,
        note: "no answer",
      },
    ]);
  });
});
