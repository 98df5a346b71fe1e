import assert from "node:assert/strict";
import { suite, test, type TestContext } from "node:test";
import { claim, newOrder, NOW, place, settlement } from "../storage/fixtures.ts";
import { openUrl, SQLITE } from "../support/databases.ts";
import { addPartner, PARTNER_ID } from "../support/way.ts";
import { errorIn, run, runAlone, startFor } from "./cli.ts";

const RETRY = ["order", "retry", "--status", "ticketing_exhausted", "--reason", "it is back"];

suite("orders by filter, on the command line", () => {
  async function exhausted(t: TestContext, count: number) {
    const url = await SQLITE.migratedUrl();
    const storage = openUrl(url);
    t.after(() => storage.close());
    await addPartner(storage, PARTNER_ID);
    await place(
      storage,
      Array.from({ length: count }, () => newOrder()),
    );
    const jobs = await claim(storage, "ticketing");
    await storage.settlements.ticketing.settle(
      jobs.map((job) => settlement("ticketing", job, "exhausted")),
      NOW,
    );
    const cli = (...args: string[]) => run(args, { env: { DATABASE_URL: url } });
    const statuses = async () => {
      const rows = await storage.database.run<{ s: string }>("select pipeline_status as s from orders", []);
      return rows.map(({ s }) => s);
    };
    return { url, storage, cli, statuses };
  }

  test("counts first, needs --yes without a terminal, then works it and tells", async (t) => {
    const { url, cli, storage, statuses } = await exhausted(t, 120);
    const dry = await cli(...RETRY, "--dry-run");
    assert.deepEqual([dry.code, dry.stdout], [0, "Would retry 120 orders.\n"]);
    const unsaid = await cli(...RETRY, "--json");
    assert.equal(unsaid.code, 2);
    assert.match(errorIn(unsaid).message, /--yes, or --dry-run/);
    assert.equal((await storage.bulkQueries.list(null, 9)).length, 0);
    const sure = [...RETRY, "--yes", "--pace", "1000", "--actor", "kim"];
    const done = await runAlone(sure, { env: { DATABASE_URL: url } });
    assert.equal(done.code, 0, done.stderr);
    assert.match(done.stdout, /^Bulk job 1 is done: 120 of 120 orders, 0 left alone\.$/m);
    assert.deepEqual(new Set(await statuses()), new Set(["ticketing_processing"]));
    const inWork = ["order", "retry", "--partner", PARTNER_ID, "--reason", "x", "--dry-run"];
    assert.match((await cli(...inWork)).stdout, /^Would retry 0 of 120 orders: the others stand where/);
    const none = await cli(...RETRY, "--yes");
    assert.deepEqual([none.code, none.stdout], [0, "No order is meant by this filter.\n"]);
    const list = JSON.parse((await cli("bulk", "list", "--json")).stdout) as {
      actor: string;
      acted: number;
    }[];
    assert.deepEqual(
      list.map(({ actor, acted }) => [actor, acted]),
      [["kim", 120]],
    );
    const shown = (await cli("bulk", "show", "1")).stdout;
    assert.match(shown, /retry is done, 120 of 120/);
    assert.match(shown, /status=ticketing_exhausted/);
    assert.equal((await cli("bulk", "show", "9")).code, 3);
  });

  test("Ctrl-C leaves the job, and says how to follow it; it can be cancelled", async (t) => {
    const { url, cli, statuses } = await exhausted(t, 5);
    const running = startFor(t, [...RETRY, "--yes", "--pace", "0.1"], { env: { DATABASE_URL: url } });
    const id = await running.shows(/Bulk job (\d+) begins/);
    running.child.kill("SIGINT");
    const ended = await running.ended;
    assert.equal(ended.code, 0, ended.stderr);
    assert.match(ended.stdout, new RegExp(`bulk show ${id}.*bulk cancel ${id}`));
    const cancelled = await cli("bulk", "cancel", id, "--reason", "wrong filter");
    assert.match(cancelled.stdout, /retry is cancelled/);
    assert.equal((await cli("bulk", "cancel", id, "--reason", "again")).code, 1);
    assert.ok((await statuses()).filter((status) => status === "ticketing_exhausted").length >= 3);
  });

  test("one order or a filter, and never all by mistake", async (t) => {
    const { cli, statuses } = await exhausted(t, 2);
    const because = ["--reason", "x", "--json"];
    for (const args of [
      ["order", "close"],
      ["order", "close", "1", "--status", "ticketing_exhausted"],
      ["order", "close", "1", "--pace", "5"],
      ["order", "close", "--pace", "0", "--partner", "demo"],
    ]) {
      assert.equal((await cli(...args, ...because)).code, 2, args.join(" "));
    }
    assert.deepEqual(await statuses(), ["ticketing_exhausted", "ticketing_exhausted"]);
    const closed = await cli("order", "close", "1", ...because);
    assert.deepEqual([closed.code, (JSON.parse(closed.stdout) as { to: string }).to], [0, "closed"]);
    const resent = await cli("order", "resend", "1", ...because);
    assert.equal(resent.code, 1);
    assert.match(errorIn(resent).message, /order 1 is closed: there is no delivered callback/);
  });
});
