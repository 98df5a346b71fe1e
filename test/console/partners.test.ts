import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, suite, test } from "node:test";
import type { Page } from "playwright-core";
import { browserUnderTest } from "../support/browser.ts";
import { openSignedIn, settled } from "../support/console-page.ts";
import { type ConsoleWorld, OPERATOR, startConsoleWorld } from "../support/console-world.ts";
import { SQLITE } from "../support/databases.ts";

suite("partners in the console", () => {
  let world: ConsoleWorld;
  const browser = browserUnderTest();
  before(async () => {
    world = await startConsoleWorld({ url: await SQLITE.migratedUrl(), few: true });
    await refusalsWritten(world);
  });
  after(() => world.close());

  const press = (page: Page, name: string) => page.getByRole("button", { name, exact: true }).click();

  test("was an order refused? By whom, why, and what its sender has to change", async (t) => {
    const page = await browser.page(t);
    await openSignedIn(page, world.url, OPERATOR.token, "partners");
    await page.getByLabel("Was an order refused?").fill("EXT-7740");
    await press(page, "Look");
    const refused = page.locator("section", { hasText: "Refused orders with external id EXT-7740" });
    await refused.getByText("callback_url not allowed").waitFor();
    assert.equal(await refused.getByText("Not a valid order").count(), 2);
    assert.match(await refused.innerText(), /\/items\/0\/qty must be .+\s+It has to correct what is named/);
    // The answer is a link.
    assert.match(page.url(), /\?external_order_id=EXT-7740$/);

    await refused.getByRole("link", { name: "ota-two" }).click();
    await page.getByRole("heading", { level: 1, name: "OTA Two" }).waitFor();
    await page.getByText("the address is not public").waitFor();
    await page.getByLabel("Was an order refused?").fill("EXT-0");
    await page.keyboard.press("Enter");
    await page.getByText("No refusal of EXT-0 is on record").waitFor();

    await page.goto(`${world.url}/console/partners/ota-one?tab=door`);
    const row = page.getByRole("row", { name: /Wrong token/ });
    assert.match(await row.innerText(), /send its present token/);
    assert.match(await row.innerText(), /\b2$/);
  });

  test("a page whose file doesn't come says so, and leaves the others as they are", async (t) => {
    const page = await browser.page(t, { expected: [/status of 404/, /dynamically imported module/] });
    // As after an upgrade, when the files have other names.
    await page.route("**/assets/partner-page-*.js", (route) => route.fulfill({ status: 404 }));
    await openSignedIn(page, world.url, OPERATOR.token, "partners");
    await page.getByRole("link", { name: "OTA One" }).click();
    await page.getByText("A part of this page didn't come.").waitFor();
    await page.getByRole("link", { name: "Overview", exact: true }).click();
    await page.getByRole("heading", { level: 1, name: "Overview" }).waitFor();
  });

  test("a test callback, with all that came back", async (t) => {
    const page = await browser.page(t);
    await openSignedIn(page, world.url, OPERATOR.token, "partners/ota-two");
    await press(page, "Send a test callback");
    await page.getByLabel("URL").fill(world.targets.callbackUrl("ota-two"));
    await page.keyboard.press("Enter");
    await page.getByText("Delivered: the partner answered 2").waitFor();
    assert.match(await page.getByRole("dialog").innerText(), /"event":"wavegate\.test"/);
    await page.keyboard.press("Escape");
    // Where it was: whoever goes by keyboard goes on from there.
    const opener = page.getByRole("button", { name: "Send a test callback" });
    assert.equal(await opener.evaluate((button) => button === button.ownerDocument.activeElement), true);
  });

  test("disabled with a reason, and let in again", async (t) => {
    const page = await browser.page(t);
    await openSignedIn(page, world.url, OPERATOR.token, "partners/ota-two");
    await press(page, "Disable");
    await page.getByLabel("Reason").fill("its token has leaked");
    await press(page, "Disable it");
    await page.getByText("Disabled since").waitFor();
    await assert.rejects(world.order({}, "ota-two"), /401/);
    await press(page, "Enable");
    await page.getByLabel("Reason").fill("it has a new one");
    await press(page, "Enable it");
    await page.getByText("Disabled since").waitFor({ state: "detached" });
    await settled(page);
    await world.order({}, "ota-two");
    const acts = await world.gateway.storage.database.run<{ actor: string; reason: string }>(
      "select actor, reason from operator_actions where action in ('partner disable', 'partner enable') order by id",
      [],
    );
    assert.deepEqual(
      acts.map(({ actor, reason }) => [actor, reason]),
      [
        [OPERATOR.name, "its token has leaked"],
        [OPERATOR.name, "it has a new one"],
      ],
    );
  });
});

/** They are written about once a second. */
async function refusalsWritten({ gateway }: ConsoleWorld): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    const rows = await gateway.storage.database.run(
      "select 1 from rejected_requests where partner_id = 'demo'",
      [],
    );
    if (rows.length > 0) return;
    await sleep(50);
  }
  throw new Error("nothing that was refused is on record");
}
