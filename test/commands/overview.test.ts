import assert from "node:assert/strict";
import { test } from "node:test";
import { Value } from "typebox/value";
import { ErrorGroupsView, OverviewView } from "../../src/http/overview-view.ts";
import { onEachDatabase, openUrl } from "../support/databases.ts";
import { json } from "../support/recorder.ts";
import { startWay } from "../support/way.ts";
import { errorIn, run } from "./cli.ts";

onEachDatabase("overview and errors", (kind) => {
  test("tell what there is, to people and to scripts", async (t) => {
    const url = await kind.migratedUrl();
    const storage = openUrl(url);
    const way = await startWay({ storage });
    t.after(() => way.close());
    const env = { DATABASE_URL: url, TICKETING_URL: "http://ticketing.example.com/buy" };
    const cli = (...args: string[]) => run(args, { env });
    const nothing = await cli("errors");
    assert.deepEqual(
      [nothing.code, nothing.stdout],
      [0, "Nothing stands still, waits for another attempt, or failed of late.\n"],
    );

    way.ticketing.answer(json(422, { message: "SKU 17 is sold out" }));
    const items = [
      {
        sku: "A",
        qty: 1,
        unit_price_minor: 1,
        currency: "THB",
        visit_date: new Date().toISOString().slice(0, 10),
      },
    ];
    const id = await way.order({ items });
    await way.work();

    const errors = await cli("errors");
    assert.match(
      errors.stdout,
      /^STANDING +WAITING +ATTEMPTS.*\n +1 +0 +1 +ticketing +422 +SKU <n> is sold out +demo /,
    );
    const [, fingerprint] = /order list --error-group '([^']+)'/.exec(errors.stdout) ?? [];
    assert.match(errors.stdout, new RegExp(`order show ${id}\n$`));
    const listed = await cli("order", "list", "--error-group", fingerprint!);
    assert.match(listed.stdout, new RegExp(`\n *${id} +EXT-42 `));
    const groups = JSON.parse((await cli("errors", "--since", "1h", "--json")).stdout) as ErrorGroupsView;
    assert.deepEqual([...Value.Errors(ErrorGroupsView, groups)], []);
    assert.equal(groups.groups[0]?.host, "ticketing.example.com");

    const overview = await cli("overview", "--hours", "2");
    assert.match(overview.stdout, /^HOUR \(UTC\) +ACCEPTED +TICKETED +DELIVERED +STOOD STILL\n/);
    assert.match(overview.stdout, /\nticketing +closed +1 +0 +1 +half within/);
    assert.match(
      overview.stdout,
      new RegExp(`\nOldest without tickets, standing still: order ${id}, .* \\(ticketing_blocked\\)\n`),
    );
    assert.match(
      overview.stdout,
      new RegExp(
        `Visits today, .* \\(UTC\\): 1 order has no tickets: ${id}\nVisits tomorrow, .*: all ticketed\n$`,
      ),
    );
    const view = JSON.parse((await cli("overview", "--json")).stdout) as OverviewView;
    assert.deepEqual([...Value.Errors(OverviewView, view)], []);
    assert.equal(view.hours.length, 12);
    assert.equal(errorIn(await cli("overview", "--hours", "49", "--json")).code, "usage");
  });
});
