import assert from "node:assert/strict";
import { test } from "node:test";
import { onEachDatabase, openUrl } from "../support/databases.ts";
import { startWay } from "../support/way.ts";
import { placesOf } from "../support/whole-database.ts";
import { errorIn, run, runAlone } from "./cli.ts";

const NAME = "Zbigniew";
const DAY_MS = 86_400_000;

onEachDatabase("purge", (kind) => {
  test("looks, asks, blanks, deletes", async (t) => {
    const url = await kind.migratedUrl();
    const storage = openUrl(url);
    const way = await startWay({ storage });
    t.after(() => way.close());
    const ageMs = (id: number, days: number) =>
      storage.database.run(
        "update orders set created_at = created_at - $1, updated_at = updated_at - $1 where id = $2",
        [days * DAY_MS, id],
      );
    const purge = (...args: string[]) => run(["purge", ...args], { env: { DATABASE_URL: url } });
    const result = async (...args: string[]) => {
      const { code, stdout, stderr } = await purge(...args, "--json");
      assert.deepEqual([code, stderr], [0, ""]);
      return JSON.parse(stdout) as unknown;
    };
    for (const days of [500, 100, 10]) {
      const id = await way.order({ buyer: { name: NAME } });
      await way.work();
      await ageMs(id, days);
    }
    const unfinished = await way.order({ buyer: { name: "Wojciech" } });
    await ageMs(unfinished, 500);

    const buyers = ["--buyers-older-than", "90d"];
    assert.deepEqual(await result(...buyers, "--dry-run"), {
      dry_run: true,
      found: { buyers: 2 },
      purged: null,
    });
    const unasked = await runAlone(["purge", ...buyers], { env: { DATABASE_URL: url } });
    assert.equal(unasked.code, 2);
    assert.match(
      unasked.stdout,
      /^In .*:\n {2}blank the buyer's data in 2 orders finished before 2\d{3}-\d\d-\d\d\n$/,
    );
    assert.match(unasked.stderr, /say --yes, or --dry-run/);
    const orders = ["--orders-older-than", "400d"];
    assert.deepEqual(await result(...buyers, ...orders, "--yes"), {
      dry_run: false,
      found: { orders: 1, buyers: 2 },
      purged: { orders: 1, buyers: 1 },
    });
    assert.deepEqual(await result(...buyers, ...orders, "--yes"), {
      dry_run: false,
      found: { orders: 0, buyers: 0 },
      purged: null,
    });
    assert.deepEqual(await placesOf(storage, NAME), ["orders.raw_payload"], "of the youngest");
    assert.deepEqual(await placesOf(storage, "Wojciech"), ["orders.raw_payload"]);
    const done = await purge("--orders-older-than", "1d", "--yes");
    assert.match(done.stdout, /\nDone\. Orders deleted: 2\.\n$/);

    for (const args of [[], ["--buyers-older-than", "1h"], ["--buyers-older-than", "4000d"]]) {
      const wrong = await purge(...args, "--json");
      assert.deepEqual([wrong.code, errorIn(wrong).code], [2, "usage"], args.join(" "));
    }
  });

  test("a blanked order's story says so", async (t) => {
    const url = await kind.migratedUrl();
    const storage = openUrl(url);
    const way = await startWay({ storage });
    t.after(() => way.close());
    const id = await way.order({ buyer: { name: NAME } });
    await way.work();
    await storage.retention.blankBuyers(Date.now() + DAY_MS, 0, 10);
    const { code, stdout } = await run(["order", "show", String(id)], { env: { DATABASE_URL: url } });
    assert.equal(code, 0);
    assert.match(stdout, /Buyer +blanked on 2\d{3}-\d\d-\d\d\n/);
    assert.doesNotMatch(stdout, new RegExp(NAME));
  });
});
