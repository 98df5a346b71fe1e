import assert from "node:assert/strict";
import { createServer, request as askGateway, type Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { after, before, suite, test } from "node:test";
import { browserUnderTest } from "../support/browser.ts";
import { openSignedIn, tokenField } from "../support/console-page.ts";
import { type ConsoleWorld, OPERATOR, startConsoleWorld } from "../support/console-world.ts";
import { SQLITE } from "../support/databases.ts";

const HIDE = `Object.defineProperty(document, "hidden", { configurable: true, get: () => true });
  document.dispatchEvent(new Event("visibilitychange"))`;
const SHOW = `delete document.hidden; document.dispatchEvent(new Event("visibilitychange"))`;

suite("the console's live updates", () => {
  let world: ConsoleWorld;
  const browser = browserUnderTest();
  before(async () => {
    world = await startConsoleWorld({ url: await SQLITE.migratedUrl(), few: true });
  });
  after(() => world.close());

  test("a window that nobody sees keeps no connection; seen again, it goes on", async (t) => {
    const page = await browser.page(t);
    await openSignedIn(page, world.url, OPERATOR.token, "partners");
    const live = page.getByRole("button", { name: /^Updated just now/ });
    await live.waitFor();
    const [ended] = await Promise.all([
      page.waitForEvent("requestfailed", (request) => request.url().endsWith("/admin/live")),
      page.evaluate(HIDE),
    ]);
    assert.equal(ended.failure()?.errorText, "net::ERR_ABORTED");
    await page.getByRole("button", { name: /^Connecting/ }).waitFor();
    await page.evaluate(SHOW);
    await live.waitFor();
  });

  test("paused, no look comes, and the end of the session shows all the same", async (t) => {
    const page = await browser.page(t, { expected: [/status of 401/] });
    await page.clock.install();
    await openSignedIn(page, world.url, OPERATOR.token, "partners");
    await page.getByRole("button", { name: /^Updated just now/ }).waitFor();
    await page.keyboard.press("p");
    await page.getByRole("button", { name: /^Paused/ }).waitFor();
    await world.gateway.storage.database.run("delete from operator_sessions", []);
    await page.clock.fastForward("31:00");
    await tokenField(page).waitFor();
    assert.equal(await page.locator("table").count(), 0);
  });

  test("the gateway away: what is shown is said to be old, and goes on by itself", async (t) => {
    const proxy = await startProxy(world.url);
    t.after(() => proxy.close());
    const page = await browser.page(t, { expected: [/net::ERR_|status of 50\d/] });
    await openSignedIn(page, proxy.url, OPERATOR.token, "partners");
    await page.getByRole("button", { name: /^Updated just now/ }).waitFor();
    proxy.cut();
    await page.getByRole("button", { name: /^Offline, updated/ }).waitFor();
    assert.equal(await page.getByRole("heading", { level: 1 }).innerText(), "Partners");
    proxy.mend();
    await page.getByRole("button", { name: /^Updated just now/ }).waitFor();
  });
});

/** A way to the gateway that can be cut. */
async function startProxy(target: string) {
  let isCut = false;
  const server: Server = createServer((request, response) => {
    if (isCut) return void response.destroy();
    const { method, headers } = request;
    const asked = askGateway(target + request.url, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(response);
    });
    asked.on("error", () => response.destroy());
    response.on("close", () => asked.destroy());
    request.pipe(asked);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut() {
      isCut = true;
      server.closeAllConnections();
    },
    mend() {
      isCut = false;
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
