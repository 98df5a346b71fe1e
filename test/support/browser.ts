import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, type TestContext } from "node:test";
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Page,
  type Request,
} from "playwright-core";
import { chromiumToRun } from "./chromium.ts";

/** How a page is looked at. */
export interface Look {
  readonly name: string;
  readonly colorScheme: "light" | "dark";
  readonly viewport: { readonly width: number; readonly height: number };
}

export const LIGHT: Look = { name: "light", colorScheme: "light", viewport: { width: 1280, height: 800 } };
export const DARK: Look = { ...LIGHT, name: "dark", colorScheme: "dark" };
export const NARROW: Look = { ...LIGHT, name: "narrow", viewport: { width: 390, height: 844 } };

export interface PageOptions {
  readonly look?: Look;
  /** Troubles that the test itself brings about, as a 401 that Chromium tells on its console. */
  readonly expected?: readonly RegExp[];
  readonly context?: BrowserContextOptions;
}

/** What a page needs of its test; the types of Node 24 don't know `passed` yet. */
type Tested = Pick<TestContext, "name" | "after" | "diagnostic"> & { readonly passed?: boolean };

export interface BrowserUnderTest {
  /** Opens one of its own: nobody else's cookies, nothing kept. It ends with the test, and fails it for any trouble. */
  page(t: Tested, options?: PageOptions): Promise<Page>;
}

const LAUNCH_MS = 30_000;
const STEP_MS = 10_000;

/** The browser of a test file, from its first page until the file ends. */
export function browserUnderTest(): BrowserUnderTest {
  let browser: Promise<Browser> | null = null;
  after(async () => {
    await (await browser)?.close();
  });
  return {
    async page(t, { look = LIGHT, expected = [], context = {} } = {}) {
      const { page, troubles } = await openPage(await (browser ??= launch()), look, context);
      t.after(async () => {
        if (t.passed === false) await keepPicture(t, page);
        await page.context().close();
        const unexpected = troubles.filter((trouble) => !expected.some((pattern) => pattern.test(trouble)));
        // Node shows the first failure of a test alone.
        for (const trouble of unexpected) t.diagnostic(trouble);
        if (unexpected.length > 0) throw new Error(`the page had trouble:\n  ${unexpected.join("\n  ")}`);
      });
      return page;
    },
  };
}

const TELL_VIOLATIONS = `document.addEventListener("securitypolicyviolation", (event) => {
  tellViolation(\`violates the CSP's \${event.effectiveDirective}: \${event.blockedURI} \${event.sample}\`);
});`;

/** Chromium, which finds nobody but this machine. */
export async function launch(): Promise<Browser> {
  const { executablePath, env } = await chromiumToRun();
  return chromium.launch({
    executablePath,
    env: { ...process.env, ...env },
    timeout: LAUNCH_MS,
    args: [
      "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
      // Text the same on every machine.
      "--font-render-hinting=none",
    ],
  });
}

/** Requests without a whole answer; a stream of events has none. */
const underWay = new WeakMap<BrowserContext, Set<Request>>();

/** True of a page that waits for no answer. */
export function isQuiet(page: Page): boolean {
  return (underWay.get(page.context())?.size ?? 0) === 0;
}

/** A page in a context of its own, and what goes wrong in it: as it does, until the context is closed. */
export async function openPage(
  browser: Browser,
  { colorScheme, viewport }: Look,
  more: BrowserContextOptions = {},
): Promise<{ page: Page; troubles: readonly string[] }> {
  const context = await browser.newContext({
    colorScheme,
    viewport,
    reducedMotion: "reduce",
    locale: "en-GB",
    timezoneId: "Europe/Lisbon",
    ...more,
  });
  context.setDefaultTimeout(STEP_MS);
  const troubles: string[] = [];
  await context.exposeFunction("tellViolation", (violation: string) => void troubles.push(violation));
  await context.addInitScript({ content: TELL_VIOLATIONS });
  context.on("console", (message) => {
    if (["error", "warning"].includes(message.type()))
      troubles.push(`console ${message.type()}: ${message.text()} (${message.location().url})`);
  });
  context.on("weberror", (error) => troubles.push(`uncaught: ${error.error().stack ?? error.error()}`));
  const requests = new Set<Request>();
  underWay.set(context, requests);
  context.on("requestfinished", (request) => void requests.delete(request));
  context.on("request", (request) => {
    if (request.resourceType() !== "eventsource") requests.add(request);
    if (!isNear(request.url())) troubles.push(`asks another host: ${request.url()}`);
  });
  context.on("requestfailed", (request) => {
    requests.delete(request);
    const why = request.failure()?.errorText ?? "";
    // Given up by the page itself, as when it is left.
    if (why !== "net::ERR_ABORTED") troubles.push(`${request.method()} ${request.url()} failed: ${why}`);
  });
  return { page: await context.newPage(), troubles };
}

function isNear(address: string): boolean {
  const { protocol, hostname } = new URL(address);
  return (
    ["data:", "blob:", "about:"].includes(protocol) || /^(?:127\.0\.0\.1|(?:.+\.)?localhost)$/.test(hostname)
  );
}

/** What a person would ask for first. */
async function keepPicture(t: Tested, page: Page): Promise<void> {
  try {
    const file = join(tmpdir(), `wavegate-${t.name.replaceAll(/\W+/g, "-").slice(0, 80)}.png`);
    await writeFile(file, await page.screenshot());
    t.diagnostic(`the page when it failed: ${file}, at ${page.url()}`);
  } catch {
    // The browser itself may be what failed.
  }
}
