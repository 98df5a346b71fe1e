import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { onEachDatabase } from "../../support/databases.ts";
import { BODIES, itemText, orderText } from "./bodies.ts";
import { layIn, posted, type Siege } from "./siege.ts";

/** Bodies that look odd and are fine: taken whole, stored as they came. */
const FINE: Readonly<Record<string, string>> = {
  "nothing odd": orderText(),
  "U+0000 in the buyer": orderText({ buyer: String.raw`{"name":"A\u0000B"}` }),
  "U+0000 in an unknown field": orderText({ note: String.raw`"\u0000"`, more: String.raw`{"\u0000":[]}` }),
  "32 levels": orderText({ x: "[".repeat(31) + "]".repeat(31) }),
  "numbers of every spelling in unknown fields": orderText({
    x: "[-0,1.0,1e300,-1e-400,9007199254740993,0.10]",
  }),
  "2^53-1": orderText({ items: `[${itemText({ unit_price_minor: "9007199254740991", qty: "10000" })}]` }),
  "U+FEFF in a text": orderText({ x: '"\ufeff"', y: String.raw`"\ufeff"` }),
  "pairs of surrogates": orderText({ x: '"😀"', y: String.raw`"\ud83d\ude00"` }),
  "names of Object.prototype": orderText({ x: '{"constructor":1,"toString":"x","then":{},"valueOf":null}' }),
  "escaped names": orderText().replace("items", String.raw`item\u0073`),
  blanks: ` \r\n\t${orderText()}\n `,
  "500 items": orderText({ items: `[${Array(500).fill(itemText()).join()}]` }),
  "what looks like a header": orderText({ external_order_id: '"EXT%0d%0aX-Evil:1"' }),
};

onEachDatabase("hostile bodies", (kind) => {
  let siege: Siege;
  before(async () => {
    siege = await layIn(kind);
  });
  after(() => siege?.stop());

  for (const [family, bodies] of Object.entries(BODIES)) {
    test(family, (t) =>
      siege.withstand(
        t,
        family,
        bodies.map(([name, body], index) => ({
          name,
          bytes: posted(body, `Idempotency-Key: ${family.replace(/\W/g, "")}-${index}`),
          answers: [400],
        })),
      ),
    );
  }

  test("a body over the limit", (t) => {
    const padded = (bytes: number) =>
      orderText({ x: `"${"x".repeat(bytes - orderText({ x: '""' }).length)}"` });
    const chunks = (text: string, size: number) =>
      (text.match(new RegExp(`[^]{1,${size}}`, "g")) ?? [])
        .map((each) => `${each.length.toString(16)}\r\n${each}\r\n`)
        .join("") + "0\r\n\r\n";
    const streamed = (text: string, size: number) =>
      posted("", "")
        .toString("latin1")
        .replace("Content-Length: 0\r\n\r\n", "Transfer-Encoding: chunked\r\n") + chunks(text, size);
    const declared = (length: string) =>
      posted("{}").toString("latin1").replace("Content-Length: 2", `Content-Length: ${length}`);
    const over = {
      "one byte more": posted(padded(256 * 1024 + 1)),
      "a megabyte": posted(padded(1024 * 1024)),
      "one byte more, in one chunk": streamed(padded(256 * 1024 + 1), 300_000),
      "one byte more, in small chunks": streamed(padded(256 * 1024 + 1), 1000),
      "declared, not sent": declared("262145"),
      "a terabyte declared": declared("1099511627776"),
      "2^53 declared": declared("9007199254740992"),
      "chunk extensions of 20 KB": streamed("{}", 2).replace("2\r\n", `2;${"x".repeat(20_000)}\r\n`),
    };
    const hostiles = Object.entries(over).map(([name, bytes]) => ({ name, bytes, answers: [413] }));
    return siege.withstand(t, "a body over the limit", hostiles);
  });

  test("what is odd and fine is stored as it came", async (t) => {
    const { gateway } = siege;
    for (const [name, body] of Object.entries(FINE)) {
      const [answer] = await siege.exchange(posted(body));
      assert.equal(answer?.status, 201, `${name}: ${answer?.body}`);
      const { id } = JSON.parse(answer.body) as { id: number };
      const { order } = (await gateway.storage.orders.story(id, null))!;
      assert.equal(order.raw_payload, body, name);
    }
    t.diagnostic(`odd and fine: ${Object.keys(FINE).length} cases`);
  });

  test("no text of a partner becomes a header of ours", async () => {
    const { gateway, ticketing, partner } = siege;
    const external = "EXT%0d%0aX-Evil:1\\r\\n";
    const body = orderText({ external_order_id: JSON.stringify(external) }, `"${partner.url}/cb"`);
    const [answer] = await siege.exchange(posted(body));
    await gateway.reach((JSON.parse(answer!.body) as { id: number }).id, "ota_callback_delivered");
    for (const { requests } of [ticketing, partner]) {
      assert.ok(requests.some(({ headers }) => headers["x-external-order-id"] === external));
      assert.ok(requests.every(({ headers }) => !("x-evil" in headers)));
    }
  });

  test("nothing of all that is kept in memory", () => siege.assertLittleIsHeld());
});
