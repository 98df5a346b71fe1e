// Takes the console's pages, light, dark and narrow, into docs/images: `npm run screenshots [-- orders errors]`.
//
// Of a real gateway with the orders that the browser tests know too, so that the pictures are the same each time, but for
// times, ports and trace ids. They are meant to be looked at before they are committed.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import type { Browser } from "playwright-core";
import { DARK, launch, LIGHT, type Look, NARROW, openPage } from "../test/support/browser.ts";
import { openSignedIn, settled } from "../test/support/console-page.ts";
import { type ConsoleWorld, OPERATOR, startConsoleWorld } from "../test/support/console-world.ts";
import { prepare } from "../test/support/template.ts";
import { type Shot, SHOTS, take } from "./screenshots/shots.ts";
import { smallerPng } from "./screenshots/smaller-png.ts";

const ROOT = join(import.meta.dirname, "..");
const IMAGES = join(ROOT, "docs/images");
const MAX_BYTES = 250_000;
/** Of a page that is taken whole. */
const MAX_HEIGHT = 2_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { into: { type: "string", default: IMAGES }, help: { type: "boolean", short: "h" } },
});
const unknown = positionals.filter((name) => !SHOTS.some((shot) => shot.name === name));
if (values.help || unknown.length > 0) {
  console.log(
    `usage: npm run screenshots [-- --into DIRECTORY] [${SHOTS.map(({ name }) => name).join(" | ")}] ...`,
  );
  process.exit(values.help ? 0 : 2);
}
const wanted = SHOTS.filter(({ name }) => positionals.length === 0 || positionals.includes(name));

const directory = mkdtempSync(join(tmpdir(), "wavegate-screenshots-"));
const url = `sqlite:///${join(directory, "world.db")}`;
mkdirSync(values.into, { recursive: true });
try {
  await prepare(url);
  const [world, browser] = await Promise.all([startConsoleWorld({ url, isUnhurried: true }), launch()]);
  try {
    for (const look of [LIGHT, DARK, NARROW])
      for (const shot of wanted) await shoot(browser, world, look, shot);
  } finally {
    await browser.close();
    await world.close();
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}

/** Takes a page; says what it made, and what the page complained of. */
async function shoot(browser: Browser, world: ConsoleWorld, look: Look, shot: Shot): Promise<void> {
  const { page, troubles } = await openPage(browser, look, { timezoneId: "Asia/Bangkok" });
  const file = join(values.into, `console-${shot.name}-${look.name}.png`);
  try {
    const path = shot.path.replaceAll(/\{([^}]+)\}/g, (_, name: string) => String(world.idOf(name)));
    if (shot.isSignedOut) await page.goto(`${world.url}/console/`);
    else await openSignedIn(page, world.url, OPERATOR.token, path);
    await settled(page);
    for (const step of shot.steps ?? []) {
      await take(page, step);
      await settled(page);
    }
    if (shot.see) await page.locator(shot.see).waitFor();
    // React shows what was loaded late not before its fallback has stood for a while.
    await page.waitForTimeout(500);
    const { width } = look.viewport;
    const length = await page.evaluate<number>("document.documentElement.scrollHeight");
    const height = shot.isWhole ? Math.min(length, MAX_HEIGHT) : look.viewport.height;
    await page.setViewportSize({ width, height: Math.max(height, look.viewport.height) });
    const png = smallerPng(await page.screenshot());
    writeFileSync(file, png);
    const remark = png.length > MAX_BYTES ? "  LARGE" : "";
    console.log(`${(png.length / 1000).toFixed(0).padStart(5)} kB  ${relative(ROOT, file)}${remark}`);
  } catch (error) {
    console.error(`          ${relative(ROOT, file)} can't be taken: ${(error as Error).message}`);
    process.exitCode = 1;
  }
  await page.context().close();
  // The sign-in page is there because a 401 said so.
  for (const trouble of troubles) if (!shot.isSignedOut) console.error(`          ${trouble}`);
}
