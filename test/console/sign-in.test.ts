import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import type { Page } from "playwright-core";
import { seriousFindings } from "../support/accessibility.ts";
import { browserUnderTest, DARK, LIGHT, NARROW } from "../support/browser.ts";
import { openSignedIn, tokenField } from "../support/console-page.ts";
import { type ConsoleWorld, OPERATOR, startConsoleWorld, VIEWER } from "../support/console-world.ts";
import { SQLITE } from "../support/databases.ts";

/** Chromium tells every answer of 4xx on its console: here of who isn't signed in. */
const UNAUTHORIZED = [/status of 401/];

suite("signing in to the console", () => {
  let world: ConsoleWorld;
  const browser = browserUnderTest();
  before(async () => {
    world = await startConsoleWorld({ url: await SQLITE.migratedUrl(), few: true });
  });
  after(() => world.close());

  async function signIn(page: Page, token: string): Promise<void> {
    await tokenField(page).fill(token);
    await page.getByRole("button", { name: "Sign in" }).click();
  }
  const signedIn = (page: Page, { name }: { readonly name: string }) =>
    page.getByRole("button", { name: new RegExp(`^${name}, `) });
  /** Every name and value that a script, or whoever opens the browser later, could read. */
  const kept = (page: Page) =>
    page.evaluate<string>(
      "JSON.stringify([document.cookie, {...localStorage}, {...sessionStorage}, history.state, location.href])",
    );

  test("with a token, which is kept nowhere that a script can read; the session outlives the page", async (t) => {
    const page = await browser.page(t);
    await page.goto(`${world.url}/console/errors`);
    await signIn(page, ` ${OPERATOR.token} `);
    await signedIn(page, OPERATOR).waitFor();
    assert.equal(new URL(page.url()).pathname, "/console/errors");

    const cookies = await page.context().cookies();
    assert.deepEqual(
      cookies.map(({ name, httpOnly, sameSite, path, expires }) => ({
        name,
        httpOnly,
        sameSite,
        path,
        expires,
      })),
      [{ name: "wavegate-session", httpOnly: true, sameSite: "Strict", path: "/", expires: -1 }],
    );
    const text = await kept(page);
    for (const secret of [OPERATOR.token, ...cookies[0]!.value.split(".")]) assert.ok(!text.includes(secret));

    await page.reload();
    await signedIn(page, OPERATOR).waitFor();
    assert.equal(await tokenField(page).count(), 0);
  });

  test("with a wrong token: words that say so, and another try", async (t) => {
    const page = await browser.page(t, { expected: UNAUTHORIZED });
    await page.goto(`${world.url}/console/`);
    await signIn(page, "wgo_of-nobody");
    const alert = page.getByRole("alert");
    await alert.waitFor();
    assert.match(await alert.innerText(), /token/);
    assert.deepEqual(await page.context().cookies(), []);
    await signIn(page, VIEWER.token);
    await signedIn(page, VIEWER).waitFor();
  });

  test("by the one-click link, which leaves no token in the address or its history", async (t) => {
    const page = await browser.page(t);
    await openSignedIn(page, world.url, OPERATOR.token, `orders/${world.idOf("blocked")}?tab=payload`);
    await signedIn(page, OPERATOR).waitFor();
    assert.equal(page.url(), `${world.url}/console/orders/${world.idOf("blocked")}?tab=payload`);
    assert.ok(!(await kept(page)).includes(OPERATOR.token));
    await page.goto("about:blank");
    await page.goBack();
    await signedIn(page, OPERATOR).waitFor();
    assert.ok(!page.url().includes("token"));
    // Another page may have opened it, with a token of its own.
    await openSignedIn(page, world.url, VIEWER.token);
    await page.reload();
    await signedIn(page, OPERATOR).waitFor();
  });

  test("by an old link: the way in, and no more", async (t) => {
    const page = await browser.page(t, { expected: UNAUTHORIZED });
    await page.goto(`${world.url}/console/#token=wgo_of-yesterday`);
    await tokenField(page).waitFor();
    assert.equal(page.url(), `${world.url}/console/`);
  });

  test("a session that ends leads to the way in, and from there back to the same place", async (t) => {
    const page = await browser.page(t, { expected: UNAUTHORIZED });
    const path = `orders/${world.idOf("retrying")}?tab=answers`;
    await openSignedIn(page, world.url, OPERATOR.token, path);
    await signedIn(page, OPERATOR).waitFor();
    await page.getByText("EXT-7731").first().waitFor();
    // Half a day passes.
    await world.gateway.storage.database.run(
      "update operator_sessions set created_at = created_at - 43200000, seen_at = seen_at - 43200000",
      [],
    );
    // Nobody clicks: the live stream's next look finds it over.
    await tokenField(page).waitFor();
    assert.match(await page.locator("form").innerText(), /session is over/);
    assert.equal(await page.getByText("EXT-7731").count(), 0);
    await signIn(page, OPERATOR.token);
    await signedIn(page, OPERATOR).waitFor();
    assert.equal(page.url(), `${world.url}/console/${path}`);
  });

  test("signing out ends it for good, in every window", async (t) => {
    const page = await browser.page(t, { expected: UNAUTHORIZED });
    await openSignedIn(page, world.url, OPERATOR.token);
    const other = await page.context().newPage();
    await other.goto(`${world.url}/console/partners`);
    await signedIn(other, OPERATOR).waitFor();
    const [cookie] = await page.context().cookies();
    await signedIn(page, OPERATOR).click();
    await page.getByRole("menuitem", { name: "Sign out" }).click();
    await tokenField(page).waitFor();
    await tokenField(other).waitFor();
    assert.deepEqual(await page.context().cookies(), []);
    const again = await fetch(`${world.url}/admin/session`, {
      headers: { cookie: `${cookie!.name}=${cookie!.value}` },
    });
    assert.equal(again.status, 401);
  });

  test("keeps nobody out, wide or narrow, light or dark", async (t) => {
    const page = await browser.page(t, { expected: UNAUTHORIZED });
    const findings = async (): Promise<string[]> => {
      await page.setViewportSize(LIGHT.viewport);
      await page.emulateMedia(LIGHT);
      const found = await seriousFindings(page);
      await page.emulateMedia(DARK);
      found.push(...(await seriousFindings(page, ["color-contrast"])));
      await page.setViewportSize(NARROW.viewport);
      assert.ok(await isAsWideAsItsWindow(page), "it scrolls sideways");
      return [...found, ...(await seriousFindings(page, ["target-size"]))];
    };
    await page.goto(`${world.url}/console/`);
    await tokenField(page).waitFor();
    assert.deepEqual(await findings(), []);
    await signIn(page, "wgo_of-nobody");
    await page.getByRole("alert").waitFor();
    assert.deepEqual(await findings(), []);
  });

  const isAsWideAsItsWindow = (page: Page) =>
    page.evaluate<boolean>("document.documentElement.scrollWidth <= innerWidth");
});
