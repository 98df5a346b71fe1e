import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import type { Page } from "playwright-core";
import { seriousFindings } from "../support/accessibility.ts";
import { browserUnderTest, DARK, LIGHT, NARROW } from "../support/browser.ts";
import { openSignedIn, settled } from "../support/console-page.ts";
import { type ConsoleWorld, OPERATOR, startConsoleWorld } from "../support/console-world.ts";
import { SQLITE } from "../support/databases.ts";

suite("every page of the console, on orders of every kind", () => {
  let world: ConsoleWorld;
  const browser = browserUnderTest();
  before(async () => {
    world = await startConsoleWorld({ url: await SQLITE.migratedUrl(), few: true });
  });
  after(() => world.close());

  const places = (): string[] => [
    "",
    "?q=no-such-order",
    "errors",
    "overview",
    "partners",
    "partners/ota-three",
    ...["retrying", "late", "hostile", "resent"].map((name) => `orders/${world.idOf(name)}`),
    ...["request", "callback", "audit"].map((tab) => `orders/${world.idOf("resent")}?tab=${tab}`),
    `orders/${world.idOf("thirty")}?tab=tickets`,
    `orders/${world.idOf("long")}?tab=payload`,
    "orders/999999",
    "no-such-page",
  ];

  // An order that isn't there.
  const expected = [/status of 404/];

  test("keeps nobody out and fits its window, wide or narrow, light or dark", async (t) => {
    const page = await browser.page(t, { expected });
    await openSignedIn(page, world.url, OPERATOR.token);
    for (const place of places()) {
      await page.setViewportSize(LIGHT.viewport);
      await page.emulateMedia(LIGHT);
      await page.goto(`${world.url}/console/${place}`);
      await settled(page);
      assert.deepEqual(await seriousFindings(page), [], place);
      assert.ok(await fits(page), `${place} scrolls sideways`);
      await page.emulateMedia(DARK);
      await settled(page);
      // Nothing else is another in the other theme.
      assert.deepEqual(await seriousFindings(page, ["color-contrast"]), [], `${place}, dark`);
      await page.setViewportSize(NARROW.viewport);
      await settled(page);
      assert.deepEqual(await seriousFindings(page, ["target-size"]), [], `${place}, narrow`);
      assert.ok(await fits(page), `${place} scrolls sideways when it is narrow`);
    }
  });

  test("what a partner sends is text, and nothing else", async (t) => {
    const page = await browser.page(t);
    await openSignedIn(page, world.url, OPERATOR.token, `orders/${world.idOf("hostile")}`);
    assert.equal((await page.getByText(`"><img/src=x/onerror=alert(1)>&{{7*7}}`).count()) > 0, true);
    for (const tab of ["payload", "request", "answers"]) {
      await page.goto(`${world.url}/console/orders/${world.idOf("hostile")}?tab=${tab}`);
      await settled(page);
      assert.equal(await page.locator("img[src=x], b, script:not([src])").count(), 0, tab);
    }
  });

  const fits = (page: Page) => page.evaluate<boolean>("document.documentElement.scrollWidth <= innerWidth");
});
