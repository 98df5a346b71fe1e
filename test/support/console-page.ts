import type { Locator, Page } from "playwright-core";
import { isQuiet } from "./browser.ts";

/** What stands where something is still to come. */
export const UNSETTLED = ".animate-pulse, [aria-busy=true]";

const TWO_FRAMES = "new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))";

/** Signs in as the one-click link of `serve --dev` does, and waits until the page shows what it has to show. */
export async function openSignedIn(page: Page, url: string, token: string, path = ""): Promise<void> {
  await page.goto(`${url}/console/${path}#${new URLSearchParams({ token }).toString()}`);
  await settled(page);
}

/** The page has a heading, and nothing of it is still on its way. */
export async function settled(page: Page): Promise<void> {
  await page.locator("h1").first().waitFor({ state: "attached" });
  // Playwright's other ways to wait evaluate in the page, which its CSP forbids.
  await page.locator(UNSETTLED).first().waitFor({ state: "detached" });
  // What has come may have brought more along that is still to come.
  for (let looks = 0; looks < 400 && !isQuiet(page); looks += 1) await page.waitForTimeout(25);
  await page.locator(UNSETTLED).first().waitFor({ state: "detached" });
  // Nothing moves for who asks for less of it, as these do: what has come is drawn.
  await page.evaluate(TWO_FRAMES);
}

/** The one field of the way in. */
export function tokenField(page: Page): Locator {
  return page.getByLabel("Operator's token");
}
