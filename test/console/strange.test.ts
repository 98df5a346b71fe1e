import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { browserUnderTest } from "../support/browser.ts";
import { openSignedIn, settled } from "../support/console-page.ts";
import { type ConsoleWorld, OPERATOR, startConsoleWorld } from "../support/console-world.ts";
import { SQLITE } from "../support/databases.ts";
import { json } from "../support/recorder.ts";

const HOUR_MS = 3_600_000;

suite("the console, told strange things", () => {
  let world: ConsoleWorld;
  const browser = browserUnderTest();
  before(async () => {
    world = await startConsoleWorld({ url: await SQLITE.migratedUrl(), few: true });
  });
  after(() => world.close());

  test("what an address says and no page knows is left out, whatever it is called", async (t) => {
    const page = await browser.page(t);
    const strange =
      "?__proto__=x&constructor=x&toString=x&status=constructor&error=x&past_due=x&leg=x&since=x&tab=x&hours=x&bulk=x";
    await openSignedIn(page, world.url, OPERATOR.token);
    for (const place of ["", "errors", "overview", "partners", `orders/${world.idOf("delivered")}`]) {
      await page.goto(`${world.url}/console/${place}${strange}`);
      await settled(page);
      assert.equal(new URL(page.url()).search, "", place);
      assert.equal(await page.getByRole("alert").count(), 0, place);
      assert.ok((await page.locator("main").innerText()).length > 100, place);
    }
    await page.goto(`${world.url}/console/${strange}&status=ticketing_blocked&q=%5Fproto__`);
    await settled(page);
    assert.equal(new URL(page.url()).search, "?q=_proto__&status=ticketing_blocked");
  });

  test("what can't be seen is written out, and what has no text is shown all the same", async (t) => {
    const page = await browser.page(t);
    const tickets = [
      { code: "TK-1", more: { toString: 1, valueOf: 2 } },
      { code: "TK-\u202e2" },
      "TK-\u200b3",
    ];
    world.targets.script("ticketing", "EXT-9001", json(200, { reference: "R-\u202e4", tickets }));
    const item = { sku: "ADULT\u202eYAD", qty: 3, unit_price_minor: 1, currency: "THB" };
    const id = await world.order({ external_order_id: "EXT-9001", items: [item] });
    await openSignedIn(page, world.url, OPERATOR.token, `orders/${id}?tab=tickets`);
    await page.getByText("TK-1").waitFor();
    const text = (await page.locator("main").innerText()).replaceAll(/\s+/g, " ");
    for (const shown of ['more {"toString":1,"valueOf":2}', "TK-\\u202e2", "TK-\\u200b3", "R-\\u202e4"])
      assert.ok(text.includes(shown), `${shown} in ${text}`);
    assert.ok(text.includes("ADULT\\u202eYAD"));
    assert.doesNotMatch(text, /[\u200b\u202e]/);
  });

  test("times are the gateway's, however wrong this machine's clock is", async (t) => {
    for (const wrongMs of [HOUR_MS, -HOUR_MS]) {
      const page = await browser.page(t);
      await page.clock.install({ time: Date.now() + wrongMs });
      await openSignedIn(page, world.url, OPERATOR.token, `orders/${world.idOf("retrying")}`);
      await page.getByText(/^In 1?\d min/).waitFor();
      await page.getByRole("button", { name: /^Updated just now/ }).waitFor();
    }
  });

  test("a bulk act takes no order that came after they were counted", async (t) => {
    const closed = json(422, { message: "the park is closed" });
    const blocked = async (external_order_id: string): Promise<void> => {
      world.targets.script("ticketing", external_order_id, closed);
      await world.gateway.reach(await world.order({ external_order_id }, "demo"), "ticketing_blocked");
    };
    await blocked("EXT-9101");
    const page = await browser.page(t);
    await openSignedIn(page, world.url, OPERATOR.token, "errors");
    const row = page.getByRole("row").filter({ hasText: "the park is closed" });
    await row.getByRole("button", { name: /^Retry/ }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Reason").fill("it is open");
    await blocked("EXT-9102");
    await dialog.getByRole("button", { name: "Retry 1 order" }).click();
    await dialog.getByText("Nothing has begun: it is 2 orders by now.").waitFor();
    assert.equal((await world.gateway.storage.bulkQueries.list(null, 1)).length, 0);
    await dialog.getByRole("button", { name: "Retry 2 orders" }).click();
    await page.waitForURL(/[?&]bulk=\d+/);
  });

  test("what stands between the gateway and the browser may answer anything", async (t) => {
    const page = await browser.page(t, { expected: [/status of 502/] });
    await openSignedIn(page, world.url, OPERATOR.token);
    const answers = [
      { status: 200, contentType: "text/html", body: "<h1>Sign in to the network</h1>" },
      { status: 502, contentType: "application/json", body: "null" },
      { status: 502, contentType: "application/json", body: `{"errors":{"a":1},"title":"Bad upstream"}` },
    ];
    const told = [
      "Something else answered in the gateway's place.",
      "The gateway answered 502.",
      "Bad upstream",
    ];
    for (const [index, answer] of answers.entries()) {
      await page.route("**/admin/errors*", (route) => route.fulfill(answer));
      await page.goto(`${world.url}/console/errors`);
      await page.getByRole("alert").getByText(told[index]!).waitFor();
      await page.unroute("**/admin/errors*");
      await page.getByRole("button", { name: "Try again" }).click();
      await page.getByRole("alert").waitFor({ state: "detached" });
    }
  });

  test("a year of six digits is refused by its field", async (t) => {
    const page = await browser.page(t);
    await openSignedIn(page, world.url, OPERATOR.token, "?view=all");
    await page.getByRole("button", { name: "Filter" }).click();
    const field = page.getByLabel("Accepted from");
    await field.fill("202026-01-01T00:00");
    await page.getByRole("button", { name: "Show the orders" }).click();
    assert.equal(await page.getByRole("form", { name: "Filters" }).count(), 1);
    await field.fill("2026-01-01T00:00");
    await page.getByRole("button", { name: "Show the orders" }).click();
    await page.waitForURL("**/?created_from=2025-12-31T17%3A00%3A00.000Z");
  });
});
