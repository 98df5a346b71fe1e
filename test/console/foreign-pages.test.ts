import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import type { Page, Response } from "playwright-core";
import { browserUnderTest } from "../support/browser.ts";
import { openSignedIn, settled } from "../support/console-page.ts";
import { type ConsoleWorld, OPERATOR, startConsoleWorld, VIEWER } from "../support/console-world.ts";
import { SQLITE } from "../support/databases.ts";
import { type Recorder, startRecorder } from "../support/recorder.ts";

const ACT = JSON.stringify({ reason: "forged" });
/** What Chromium says of requests that were refused, or that it refused to make. */
const REFUSED = [/status of 4(?:0[134]|15)/, /blocked by CORS policy/, /net::ERR_FAILED/];

suite("what others have an operator's browser send", () => {
  let world: ConsoleWorld;
  let foreign: Recorder;
  const browser = browserUnderTest();
  before(async () => {
    world = await startConsoleWorld({ url: await SQLITE.migratedUrl(), few: true });
    foreign = await startRecorder((response) =>
      response
        .writeHead(200, { "content-type": "text/html" })
        .end("<!doctype html><title>A fine page</title>"),
    );
  });
  after(async () => {
    await foreign.close();
    await world.close();
  });

  const actsOn = async (name: string) =>
    (await world.gateway.storage.orders.story(world.idOf(name), null))!.actions;
  const statusOf = async (name: string) =>
    (await world.gateway.storage.orders.story(world.idOf(name), null))!.order.pipeline_status;

  /** Has a script run in the page, and gives the answer that it got for this from the gateway. */
  async function answerTo(page: Page, method: string, path: string, script: string): Promise<Response> {
    const isIt = (response: Response): boolean =>
      response.url() === world.url + path && response.request().method() === method;
    const [response] = await Promise.all([page.waitForResponse(isIt), page.evaluate(script)]);
    return response;
  }

  /** `no-cors`: the browser sends it without asking the gateway, and shows its page nothing of the answer. */
  const send = (method: string, path: string, body: string | null): string =>
    `void fetch(${JSON.stringify(world.url + path)}, ${JSON.stringify({
      method,
      mode: "no-cors",
      credentials: "include",
      ...(body !== null && { body, headers: { "content-type": "text/plain" } }),
    })}).catch(() => {})`;
  /** As a form, which needs no script: `<input name='{"reason":"forged","x":"' value='"}'>` makes JSON of it. */
  const submit = (path: string): string => `{
    const form = document.createElement("form");
    Object.assign(form, { method: "post", enctype: "text/plain", action: ${JSON.stringify(world.url + path)} });
    const field = document.createElement("input");
    Object.assign(field, { name: '{"reason":"forged","x":"', value: '"}' });
    form.append(field);
    document.body.append(form);
    setTimeout(() => form.submit());
  }`;

  for (const { site, host, expected } of [
    // SameSite=Strict lets a cookie pass from another port, and from a host beside it: the gateway knows who comes, and refuses.
    { site: "another port of the same site", host: "127.0.0.1", expected: 403 },
    // It comes without a cookie, and so as nobody.
    { site: "another site", host: "localhost", expected: 401 },
  ]) {
    test(`from ${site} nothing is done, and nothing is read`, async (t) => {
      const page = await browser.page(t, { expected: REFUSED });
      await openSignedIn(page, world.url, OPERATOR.token);
      const before = await page.context().cookies();
      const foreignPage = async (): Promise<Page> => {
        const opened = await page.context().newPage();
        await opened.goto(`http://${host}:${new URL(foreign.url).port}/`);
        return opened;
      };
      const cancel = `/admin/orders/${world.idOf("blocked")}/cancel`;
      const session = "/admin/session";
      for (const [method, path, script] of [
        ["POST", cancel, send("POST", cancel, ACT)],
        ["POST", cancel, submit(cancel)],
        ["POST", session, send("POST", session, JSON.stringify({ token: VIEWER.token }))],
        ["GET", "/admin/orders", send("GET", "/admin/orders", null)],
        ["GET", "/admin/live", send("GET", "/admin/live", null)],
      ] as const) {
        const answer = await answerTo(await foreignPage(), method, path, script);
        // Without a type that forms can't give, a sign-in isn't even read.
        assert.equal(answer.status(), path === session ? 415 : expected, `${method} ${path}`);
      }
      const evil = await foreignPage();
      // What a form can't say has to be asked for first, and nobody says yes.
      for (const method of ["POST", "PATCH", "DELETE"]) {
        const headers = { "content-type": "application/json" };
        const asked = { method, credentials: "include", headers, ...(method !== "DELETE" && { body: ACT }) };
        const url = world.url + (method === "DELETE" ? session : cancel);
        const failed = `fetch(${JSON.stringify(url)}, ${JSON.stringify(asked)}).then(() => false, () => true)`;
        assert.equal(await evil.evaluate(failed), true, method);
      }

      assert.deepEqual(await actsOn("blocked"), []);
      assert.equal(await statusOf("blocked"), "ticketing_blocked");
      assert.deepEqual(await page.context().cookies(), before);
      await page.reload();
      await page.getByRole("button", { name: /^day-shift, / }).waitFor();
    });
  }

  test("the console shows itself in no other page", async (t) => {
    const page = await browser.page(t, { expected: [/frame-ancestors/, /ERR_BLOCKED_BY_RESPONSE/] });
    await openSignedIn(page, world.url, OPERATOR.token);
    await page.goto(foreign.url);
    const frame = `{ const frame = document.createElement("iframe");
      frame.src = ${JSON.stringify(`${world.url}/console/`)};
      document.body.append(frame);
      new Promise((resolve) => { frame.onload = resolve; }) }`;
    await page.evaluate(frame);
    assert.equal(page.frames()[1]!.url(), "chrome-error://chromewebdata/");
  });

  test("a viewer is shown nothing that only others may do", async (t) => {
    const acts = /^(?:retry|enter tickets|more$|send a test callback|disable)/i;
    const places = [`orders/${world.idOf("unknown")}`, "errors", "", "partners/demo"];
    const shown = async (token: string): Promise<boolean[]> => {
      const page = await browser.page(t);
      const found: boolean[] = [];
      await openSignedIn(page, world.url, token);
      for (const place of places) {
        await page.goto(`${world.url}/console/${place}`);
        await settled(page);
        const main = page.getByRole("main");
        const controls = main.getByRole("button", { name: acts }).or(main.getByRole("checkbox"));
        found.push((await controls.count()) > 0);
      }
      return found;
    };
    assert.deepEqual(await shown(OPERATOR.token), [true, true, true, true]);
    assert.deepEqual(await shown(VIEWER.token), [false, false, false, false]);
  });

  test("a viewer who forges a request is refused, and nothing is done", async (t) => {
    const page = await browser.page(t, { expected: [/status of 403/] });
    await openSignedIn(page, world.url, VIEWER.token, `orders/${world.idOf("hostile")}`);
    const id = world.idOf("hostile");
    for (const path of [`../admin/orders/${id}/retry`, `../admin/orders/${id}/close`, "../admin/bulk"]) {
      const asked = { method: "POST", headers: { "content-type": "application/json" }, body: ACT };
      const status = `fetch(new URL(${JSON.stringify(path)}, document.baseURI), ${JSON.stringify(asked)}).then((r) => r.status)`;
      assert.equal(await page.evaluate(status), 403, path);
    }
    assert.deepEqual(await actsOn("hostile"), []);
  });
});
