import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startDevelopment } from "../../src/commands/development.ts";
import { loadConfig } from "../../src/config.ts";
import { startGateway } from "../../src/gateway.ts";
import { SQLITE } from "../support/databases.ts";
import { commandsIn, readPages } from "./documents.ts";
import { requestOf } from "./curl.ts";
import { SILENT } from "../support/log.ts";

/** The gateway, as the pages call it. */
const GATEWAYS =
  /^(?:http:\/\/(?:localhost:8080|127\.0\.0\.1:80\d\d)|https:\/\/gateway\.example\.com|\$GATEWAY)/;
/** A place of the reader's for callbacks: the sandbox partner's is put there, so that none leaves the machine. */
const CALLBACK_URLS =
  /https:\/\/webhook\.site\/<your-id>|https:\/\/partner\.example\.com\/ota\/callback|<callback_url>/g;

/** `npm run dev`, in this process. */
async function startDev(t: TestContext) {
  const env = { DATABASE_URL: await SQLITE.migratedUrl(), PORT: "0" };
  const development = await startDevelopment(loadConfig({ env, directory: tmpdir(), dev: true }), {});
  t.after(() => development.close());
  const gateway = await startGateway(development.config, SILENT);
  t.after(() => gateway.stop());
  return { ...development, url: gateway.url! };
}

type Answer = Pick<Response, "status" | "headers"> & { readonly text: string };

/** Sends what a page's curl commands send, in their order. */
async function follow(
  { url, callbackUrl, operatorToken }: Awaited<ReturnType<typeof startDev>>,
  commands: readonly { words: readonly string[]; comment: string }[],
): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (const { words, comment } of commands) {
    const [, expected = "2.."] = /\banswers (\d{3})/.exec(comment) ?? [];
    const meant = words.map((word) =>
      word.replace(GATEWAYS, url).replace(CALLBACK_URLS, callbackUrl).replaceAll("$TOKEN", operatorToken),
    );
    const { url: to, method, headers, body } = requestOf(meant);
    assert.equal(new URL(to).origin, url, `${to}: the documents' gateway is called otherwise`);
    const response = await fetch(to, { method, headers, body });
    const text = await response.text();
    assert.match(String(response.status), new RegExp(`^${expected}$`), `${words.join(" ")}\n${text}`);
    answers.push({ status: response.status, headers: response.headers, text });
  }
  return answers;
}

const pages = readPages()
  .map(({ path, blocks }) => ({
    path,
    commands: blocks
      .filter(({ language }) => language === "bash" || language === "sh")
      .flatMap(({ text }) => commandsIn(text))
      .filter(({ words }) => words[0] === "curl"),
  }))
  .filter(({ commands }) => commands.length > 0);

test("there are pages with curl commands", () => {
  assert.ok(pages.length >= 4);
});

for (const { path, commands } of pages) {
  test(`${path}: every curl command is answered as the page says`, async (t) => {
    const development = await startDev(t);
    const answers = await follow(development, commands);
    if (path !== "docs/quick-start.md") return;
    const [first] = commands;
    const [repeat] = await follow(development, [first!]);
    assert.equal(repeat!.headers.get("idempotent-replayed"), "true");
    assert.equal(repeat!.text, answers[0]!.text);
    const waited = answers.map(
      ({ text }) => JSON.parse(text) as { pipeline_status?: string; tickets?: unknown[] },
    );
    const { tickets } = waited.find((one) => one.pipeline_status !== undefined && one.tickets !== undefined)!;
    assert.equal(tickets!.length, 1);
    const ends = [
      "ota_callback_delivered",
      "ota_callback_delivered",
      "ota_callback_delivered",
      "ticketing_blocked",
    ];
    const statuses = async (): Promise<string[]> => {
      const orders = (await (await fetch(`${development.url}/orders`)).json()) as { status: string }[];
      return orders.map(({ status }) => status).toReversed();
    };
    for (let tries = 0; tries < 400 && (await statuses()).join() !== ends.join(); tries += 1) await sleep(50);
    assert.deepEqual(await statuses(), ends);
  });
}
