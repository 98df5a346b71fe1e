import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { after, test } from "node:test";
import { loadMapping, MappingError } from "../../src/config/mapping-module.ts";

const directory = mkdtempSync(join(tmpdir(), "wavegate-mapping-"));
after(() => rmSync(directory, { recursive: true }));
let files = 0;

function moduleOf(source: string, extension = "ts"): string {
  files += 1;
  const file = join(directory, `mapping-${files}.${extension}`);
  writeFileSync(file, source);
  return file;
}

async function refusal(file: string): Promise<string> {
  const error = await loadMapping(file).then(
    () => assert.fail("it was taken"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof MappingError);
  assert.ok(error.message.startsWith(`TICKETING_MAPPING ${file} can't be used: `), error.message);
  return error.message;
}

const GOOD = "export const request = (order: { trace_id: string }) => ({ body: { id: order.trace_id } });";

test("TypeScript and JavaScript, modules and CommonJS; a path relative to the working directory", async () => {
  const inTypeScript = await loadMapping(relative(process.cwd(), moduleOf(GOOD)));
  assert.equal(inTypeScript.mapping.response, undefined);
  assert.equal(inTypeScript.sample.external_order_id, "SAMPLE-1");
  await loadMapping(moduleOf("export function request(order) { return { body: order }; }", "mjs"));
  const common = "exports.request = (order) => ({ body: order }); exports.response = () => null;";
  assert.ok((await loadMapping(moduleOf(common, "cjs"))).mapping.response);
});

test("its own sample is an order as partners send it, and what it is tried on", async () => {
  const items = '[{ sku: "ONLY", qty: 1, unit_price_minor: 5, currency: "THB" }]';
  const picky = `export const request = ({ items: [item] }) => {
    if (item.sku !== "ONLY") throw new Error("unknown SKU " + item.sku);
    return { body: item };
  };`;
  const { sample } = await loadMapping(
    moduleOf(`${picky} export const sample = { external_order_id: "E", items: ${items} };`),
  );
  assert.equal(sample.items[0]!.sku, "ONLY");
  assert.equal("callback_url" in sample, false);
  const invented = await refusal(moduleOf(picky));
  assert.match(
    invented,
    /invented order \(export one of yours as `sample`\) failed: it threw Error: unknown SKU/,
  );
  for (const [own, why] of [
    ["{ items: [] }", /`sample` is no order.*external_order_id is required/],
    ['"text"', /`sample` is no order/],
    ["{ n: 1n }", /`sample` is no JSON/],
  ] as const) {
    assert.match(await refusal(moduleOf(`${GOOD} export const sample = ${own};`)), why);
  }
});

test("every refusal names the file and the reason", async () => {
  assert.match(await refusal(join(directory, "none.ts")), /there is no such file/);
  for (const [source, why] of [
    ["export const request = ;", /does not load/],
    ["enum A { B } export const request = () => ({ body: A.B });", /does not load: .*enum/],
    ["throw new Error('no key');", /does not load: Error: no key/],
    ['import "./nowhere.ts";', /does not load/],
    ["export const respones = 1;", /exports no function `request`/],
    ["export default { request() {} };", /exports no function `request`/],
    ["export const request = 1;", /exports no function `request`/],
    [`${GOOD} export const response = {};`, /`response` is no function/],
    [`${GOOD} export const respones = () => null;`, /exports respones: only request, response and sample/],
    ["export const request = () => { throw new Error('no'); };", /dry run on .* failed: it threw Error: no/],
    ["export const request = async () => ({ body: 1 });", /dry run .* returned a promise/],
    ["export const request = () => ({ body: NaN });", /dry run .* NaN/],
    ["export const request = () => ({ body: Math.random() });", /another request the second time/],
    [
      "export const request = () => ({ body: 1, headers: { 'x-key': crypto.randomUUID() } });",
      /another request the second time/,
    ],
  ] as const) {
    assert.match(await refusal(moduleOf(source)), why, source);
  }
});

test("the mapping of docs/mapping.md works", async () => {
  const text = readFileSync(join(import.meta.dirname, "../../docs/mapping.md"), "utf8");
  const { mapping } = await loadMapping(moduleOf(/```ts\n([\s\S]*?)```/.exec(text)![1]!));
  assert.deepEqual(mapping.response!(409, { error: "ALREADY_SOLD", sale: "S" }), {
    outcome: "already_done",
    reference: "S",
    tickets: undefined,
  });
});
