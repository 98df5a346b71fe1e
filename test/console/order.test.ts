import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import type { Page, Route } from "playwright-core";
import { browserUnderTest } from "../support/browser.ts";
import { confirm } from "../support/console-orders.ts";
import { openSignedIn } from "../support/console-page.ts";
import { type ConsoleWorld, OPERATOR, startConsoleWorld } from "../support/console-world.ts";
import { SQLITE } from "../support/databases.ts";

suite("an order's page", () => {
  let world: ConsoleWorld;
  const browser = browserUnderTest();
  before(async () => {
    world = await startConsoleWorld({ url: await SQLITE.migratedUrl(), few: true });
  });
  after(() => world.close());

  const actionsOf = async (name: string): Promise<string[]> => {
    const story = await world.gateway.storage.orders.story(world.idOf(name), null);
    return story!.actions.map(({ actor, action, reason }) => `${actor}: ${action}: ${reason}`);
  };
  const inDialog = (page: Page, name: string) => page.getByRole("dialog").getByRole("button", { name });

  test("an act whose answer is lost on the way acts once; then the order moves before one's eyes", async (t) => {
    const page = await browser.page(t, { expected: [/resolve failed: net::ERR_FAILED/, /net::ERR_FAILED/] });
    await openSignedIn(page, world.url, OPERATOR.token, `orders/${world.idOf("unknown")}`);
    await page.getByRole("button", { name: "Enter tickets" }).click();
    await page.getByLabel("Reason").fill("asked ticketing by phone");
    await inDialog(page, "Enter tickets").click();
    await page.getByText("Enter the codes, the reference, or both.").waitFor();
    await page.getByLabel("Ticket codes").fill("T-1\n T-1");
    await inDialog(page, "Enter tickets").click();
    await page.getByText("T-1 stands here twice.").waitFor();
    await page.getByLabel("Ticket codes").fill("T-1\n\n  T-2 ");
    const loseAnswer = async (route: Route): Promise<void> => {
      await route.fetch();
      await route.abort("failed");
    };
    await page.route("**/resolve", loseAnswer, { times: 1 });
    await inDialog(page, "Enter tickets").click();
    await page.getByText("The gateway can't be reached.").waitFor();
    await inDialog(page, "Enter tickets").click();
    await page.getByText("Enter tickets: done.").waitFor();
    await page.getByRole("list").getByText("Delivered: the partner knows").waitFor();
    await page.getByRole("list").getByText("Ticketed: 2 tickets").waitFor();
    assert.deepEqual(await actionsOf("unknown"), [
      `${OPERATOR.name}: mark ticketed: asked ticketing by phone`,
    ]);
  });

  test("its timeline moves while one looks: under way, refused, retried, ticketed, delivered", async (t) => {
    const [first, second] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    world.targets.script(
      "ticketing",
      "EXT-9100",
      (response) => void first.promise.then(() => response.writeHead(422).end("sold out")),
      (...call) => void second.promise.then(() => confirm(...call)),
    );
    const id = await world.order({ external_order_id: "EXT-9100" });
    const page = await browser.page(t);
    await openSignedIn(page, world.url, OPERATOR.token, `orders/${id}`);
    await page.evaluate("globalThis.sameDocument = true");
    const line = (text: RegExp) => page.getByRole("listitem").filter({ hasText: text });
    await line(/Attempt 1 of 15 under way/).waitFor();
    first.resolve();
    await line(/Attempt 1422Ticketing refused/).waitFor();
    await line(/Waits for an operator/).waitFor();
    await page.keyboard.press("r");
    await page.getByLabel("Reason").fill("it is on sale again");
    await page.keyboard.press("Enter");
    await line(/Attempt 2, 1 of 15 in this run, under way/).waitFor();
    second.resolve();
    await line(/Delivered: the partner knows/).waitFor();
    const shown = await page
      .getByRole("region", { name: "Timeline" })
      .getByRole("listitem")
      .allTextContents();
    const ways = [/^Ticketing/, /^Received/, /^Attempt 1422/, /day-shift .*on sale again/, /^Attempt 2200/];
    for (const [place, way] of [...ways, /^Ticketed/, /^Callback/, /^Attempt 1200/, /^Delivered/].entries())
      assert.match(shown[place] ?? "", way);
    assert.equal(await page.evaluate("globalThis.sameDocument"), true);
  });

  test("what is refused says why, and nothing is done", async (t) => {
    const page = await browser.page(t, { expected: [/status of 409/] });
    const id = world.idOf("blocked");
    await openSignedIn(page, world.url, OPERATOR.token, `orders/${id}`);
    await page.keyboard.press("r");
    await page.getByLabel("Reason").fill("it is on sale again");
    await world.gateway.storage.operatorActions.close(id, { actor: "olga", reason: "refunded" }, null);
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText(`order ${id} is closed`).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("list").getByText("olga closed the order").waitFor();
    assert.equal(await page.getByRole("button", { name: /^(Retry|More)/ }).count(), 0);
    assert.deepEqual(await actionsOf("blocked"), ["olga: close: refunded"]);
  });

  test("the buyer is shown to who asks, on record, and not a moment longer", async (t) => {
    const page = await browser.page(t);
    await openSignedIn(page, world.url, OPERATOR.token, `orders/${world.idOf("delivered")}?tab=payload`);
    const buyer = page.getByText("alex@example.com");
    const show = page.getByRole("button", { name: "Show buyer's data" });
    await page.getByText('"email": "***"').waitFor();
    await show.click();
    await buyer.waitFor();
    await page.getByRole("button", { name: "Hide again" }).click();
    assert.equal(await buyer.count(), 0);
    await show.click();
    await buyer.waitFor();
    await page.getByRole("link", { name: "Partners" }).click();
    await page.getByRole("heading", { level: 1, name: "Partners" }).waitFor({ state: "attached" });
    await page.goBack();
    await show.waitFor();
    assert.equal(await buyer.count(), 0);
    await page.getByRole("link", { name: /^Audit/ }).click();
    await page.getByRole("cell", { name: "looked at the buyer's data" }).first().waitFor();
    assert.equal((await actionsOf("delivered")).length, 2);
  });
});
