import assert from "node:assert/strict";
import { once } from "node:events";
import { request as askGateway } from "node:http";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { after, before, suite, test } from "node:test";
import { browserUnderTest } from "../support/browser.ts";
import { settled, tokenField } from "../support/console-page.ts";
import { type ConsoleWorld, OPERATOR, startConsoleWorld } from "../support/console-world.ts";
import { SQLITE } from "../support/databases.ts";
import { testCertificate, testKey } from "../support/tls.ts";

const PREFIX = "/sales/wavegate";

suite("the console behind a proxy that speaks TLS and strips a path", () => {
  let world: ConsoleWorld;
  let proxy: Server;
  const browser = browserUnderTest();
  before(async () => {
    world = await startConsoleWorld({ url: await SQLITE.migratedUrl(), few: true });
    proxy = createServer({ key: testKey, cert: testCertificate }, (request, response) => {
      const path = request.url?.startsWith(PREFIX) ? request.url.slice(PREFIX.length) : "/no-such-place";
      const { method, headers } = request;
      const asked = askGateway(world.url + path, { method, headers }, (answer) => {
        response.writeHead(answer.statusCode!, answer.headers);
        answer.pipe(response);
      });
      asked.on("error", () => response.destroy());
      response.on("close", () => asked.destroy());
      request.pipe(asked);
    });
    proxy.listen(0, "127.0.0.1");
    await once(proxy, "listening");
  });
  after(async () => {
    proxy.closeAllConnections();
    proxy.close();
    await world.close();
  });

  test("a deep link, the way in, the live stream and the ways between pages stay below the path", async (t) => {
    const { port } = proxy.address() as AddressInfo;
    const base = `https://127.0.0.1:${port}${PREFIX}`;
    const page = await browser.page(t, { context: { ignoreHTTPSErrors: true } });
    const paths: string[] = [];
    page.on("request", (request) => paths.push(new URL(request.url()).pathname));

    const deep = `${base}/console/orders/${world.idOf("blocked")}?tab=answers`;
    await page.goto(deep);
    await tokenField(page).fill(OPERATOR.token);
    const [live] = await Promise.all([
      page.waitForResponse(`${base}/admin/live`),
      page.getByRole("button", { name: "Sign in" }).click(),
    ]);
    assert.equal(live.status(), 200);
    await settled(page);
    assert.equal(page.url(), deep);
    const [cookie] = await page.context().cookies();
    assert.equal(cookie!.name, "__Host-wavegate-session");
    assert.equal(cookie!.secure, true);

    await page.getByRole("link", { name: "Errors" }).click();
    await page.getByRole("heading", { level: 1, name: "Errors" }).waitFor();
    assert.equal(page.url(), `${base}/console/errors`);
    await page.goto(`${base}/console`);
    await page.getByRole("heading", { level: 1, name: "Orders" }).waitFor();
    assert.equal(page.url(), `${base}/console/`);
    assert.deepEqual(
      paths.filter((path) => !path.startsWith(PREFIX)),
      [],
    );
  });
});
