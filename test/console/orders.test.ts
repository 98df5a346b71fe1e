import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import type { Page } from "playwright-core";
import { seriousFindings } from "../support/accessibility.ts";
import { browserUnderTest } from "../support/browser.ts";
import { openSignedIn, settled } from "../support/console-page.ts";
import { GROUP } from "../support/console-orders.ts";
import { type ConsoleWorld, OPERATOR, startConsoleWorld } from "../support/console-world.ts";
import { SQLITE } from "../support/databases.ts";

const VISITS = "Visit today or tomorrow, without tickets";
const ATTENTION = "Orders that need attention, newest first";
const ORDERS = "Orders, newest first";

const rowsOf = (page: Page, list: string) => page.getByRole("table", { name: list }).locator("tbody tr");
const namesIn = (page: Page, list: string) => rowsOf(page, list).locator("[data-row]").allInnerTexts();

suite("the orders page", () => {
  let world: ConsoleWorld;
  const browser = browserUnderTest();
  before(async () => {
    world = await startConsoleWorld({ url: await SQLITE.migratedUrl() });
  });
  after(() => world.close());

  test("opens on what needs attention, with visits that have no tickets on top", async (t) => {
    const page = await browser.page(t);
    await openSignedIn(page, world.url, OPERATOR.token);
    await rowsOf(page, VISITS).first().waitFor();
    const [soon, standing] = [await namesIn(page, VISITS), await namesIn(page, ATTENTION)];
    assert.deepEqual(soon.slice(0, 2), ["B2C-2026-000911", "EXT-7719"]);
    assert.ok(soon.includes("EXT-7731"), "one that is only being retried is among them");
    assert.ok(!standing.includes("EXT-7731"));
    assert.equal(standing.length, 50);
  });

  test("an order is found by its ticket's code; what isn't found is told apart from what was refused", async (t) => {
    const page = await browser.page(t);
    await openSignedIn(page, world.url, OPERATOR.token);
    const id = world.idOf("delivered");
    const answer = await world.gateway.get(`/admin/orders/${id}`, {
      authorization: `Bearer ${OPERATOR.token}`,
    });
    const { order } = (await answer.json()) as { order: { tickets: { code: string }[] } };
    await page.keyboard.press("/");
    await page.keyboard.type(order.tickets[0]!.code);
    await page.keyboard.press("Enter");
    await page.waitForURL(`**/console/orders/${id}`);
    await page.keyboard.press("/");
    await page.keyboard.type("EXT-7740");
    await page.keyboard.press("Enter");
    await page.getByText("Nothing has exactly this id, code or reference").waitFor();
    await page.getByText("ota-two sent an order with this id, which was refused").waitFor();
    await page.getByRole("link", { name: "See why" }).click();
    await page.waitForURL("**/console/partners?external_order_id=EXT-7740");
  });

  test("rows stay where they are: what came is counted, what moved on says so", async (t) => {
    const page = await browser.page(t);
    await openSignedIn(page, world.url, OPERATOR.token, "?view=all");
    const before = await namesIn(page, ORDERS);
    await world.order({ external_order_id: "EXT-8100" });
    const pill = page.getByRole("button", { name: /^1 new/ });
    await pill.waitFor();
    assert.deepEqual(await namesIn(page, ORDERS), before);
    await page.keyboard.press("n");
    await rowsOf(page, ORDERS).filter({ hasText: "EXT-8100" }).waitFor();
    assert.deepEqual(await namesIn(page, ORDERS), ["EXT-8100", ...before.slice(0, 49)]);

    await rowsOf(page, ORDERS).first().getByText("Delivered").waitFor();

    const closed = world.idOf("blocked");
    await page.goto(`${world.url}/console/?status=ticketing_blocked`);
    const row = rowsOf(page, ORDERS).filter({ hasText: "EXT-7719" });
    await row.waitFor();
    await page.evaluate(`fetch("../admin/orders/${closed}/close", {
      method: "POST", headers: { "content-type": "application/json" }, body: '{"reason":"settled by phone"}' })`);
    await row.getByText("doesn’t match any more").waitFor({ state: "attached" });
    await row.getByText("Closed").waitFor();
  });

  test("the list keeps its place on the way back from an order", async (t) => {
    const page = await browser.page(t);
    await openSignedIn(page, world.url, OPERATOR.token, "?status=ticketing_exhausted");
    await page.getByRole("button", { name: "Show 50 more" }).click();
    const row = rowsOf(page, ORDERS).nth(90);
    await row.scrollIntoViewIfNeeded();
    const place = await page.evaluate("scrollY");
    await row.locator("[data-row]").click();
    await page.waitForURL("**/console/orders/*");
    // Until the order is shown, the list is, and its row has the focus.
    await page.getByRole("region", { name: "Timeline" }).waitFor();
    await page.goBack();
    await rowsOf(page, ORDERS).nth(99).waitFor();
    await page.waitForFunction((y) => Reflect.get(globalThis, "scrollY") === y, place);
    assert.equal(await rowsOf(page, ORDERS).count(), 100);
    await page.keyboard.press("j");
    await row.locator("[data-row]:focus").waitFor();
  });

  test("all that match are retried: counted, for a reason, going on over a reload, with results", async (t) => {
    const page = await browser.page(t);
    await openSignedIn(page, world.url, OPERATOR.token, "?status=ticketing_exhausted");
    await page.keyboard.press("j");
    await page.keyboard.press("x");
    await page.getByRole("button", { name: /^Mark all \d+ that match/ }).click();
    await page.keyboard.press("r");
    const dialog = page.getByRole("dialog");
    await dialog.getByText(/^(\d+) orders match, \1 can be retried$/).waitFor();
    const start = dialog.getByRole("button", { name: /^Retry \d+ orders$/ });
    const total = Number((await start.innerText()).replaceAll(/\D/g, ""));
    assert.ok(total >= GROUP);
    await dialog.getByLabel("Reason").fill("ticketing is back");
    await dialog.getByLabel("Orders per second").fill("200");
    await start.click();
    await page.waitForURL(/[?&]bulk=\d+/);
    await page.reload();
    await settled(page);
    await dialog.getByText(`${total} retried of ${total}. Done.`).waitFor();
    assert.deepEqual(await seriousFindings(page), []);
    assert.equal(await dialog.locator("tbody tr").count(), 100);
    await dialog.getByRole("button", { name: "Refused" }).click();
    await dialog.getByText("None so far.").waitFor();
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    assert.ok(!page.url().includes("bulk="));
    await page.getByRole("button", { name: /^Bulk acts/ }).click();
    await dialog.getByRole("link", { name: `Retry ${total} orders` }).waitFor();
  });
});
