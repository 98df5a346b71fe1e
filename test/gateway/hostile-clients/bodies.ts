import { listed } from "./siege.ts";

/** JSON texts that are refused, by families (SPEC section 3). U+E000 stands for bytes that are no UTF-8. */

/** Nobody listens there, and it may be called: all else being well, the order is accepted. */
const CALLBACK = '"http://127.0.0.1:1/ota"';

/** Fields of an order, or of its item, by their JSON source. */
export type Sources = Readonly<Record<string, string>>;

export function itemText(more: Sources = {}): string {
  return objectText({ sku: '"ADULT-DAY"', qty: "1", unit_price_minor: "129900", currency: '"THB"', ...more });
}

export function orderText(more: Sources = {}, callbackUrl = CALLBACK): string {
  return objectText({
    external_order_id: '"EXT-1"',
    callback_url: callbackUrl,
    items: `[${itemText()}]`,
    ...more,
  });
}

function objectText(members: Sources): string {
  return `{${Object.entries(members)
    .map(([name, source]) => `"${name}":${source}`)
    .join()}}`;
}

/** Where a value is taken as it is, so that nothing but its own form can be at fault. */
const PLACES: Readonly<Record<string, (source: string) => string>> = {
  "an unknown field": (source) => orderText({ x: source }),
  "the buyer": (source) => orderText({ buyer: `{"x":${source}}` }),
  "an item's unknown field": (source) => orderText({ items: `[${itemText({ x: source })}]` }),
  "an array": (source) => orderText({ x: `[0,[${source}]]` }),
};

const anywhere = (sources: Sources) =>
  Object.entries(PLACES).flatMap(([place, at]) =>
    Object.entries(sources).map(([name, source]): [string, string] => [`${name} in ${place}`, at(source)]),
  );
const named = (...sources: readonly string[]): Sources =>
  Object.fromEntries(sources.map((source) => [source.slice(0, 40), source]));
const ofItem = (field: string, ...sources: readonly string[]) =>
  sources.map((source): [string, string] => [
    `${field} ${source.slice(0, 40)}`,
    orderText({ items: `[${itemText({ [field]: source })}]` }),
  ]);
const ofOrder = (field: string, ...sources: readonly string[]) =>
  sources.map((source): [string, string] => [
    `${field} ${source.slice(0, 40)}`,
    orderText({ [field]: source }),
  ]);
const within = (text: string, from: string, to: string) => text.replace(from, () => to);

const NUL = String.raw`\u0000`;
const NO_NUMBERS = [
  "NaN",
  "Infinity",
  "-Infinity",
  "undefined",
  "0x10",
  "010",
  "+1",
  ".5",
  "1.",
  "1e",
  "1_000",
  "1n",
  "--1",
  "-",
];
const NO_TEXTS = ["5", "true", "null", "[]", "{}", '""', `"${NUL}"`, `"a${NUL}"`];
const NO_OBJECTS = ["null", '"{}"', "1", "true"];
const WHOLE = orderText();
const NO_ORDERS = listed(
  '{ | null | true | 1 | "order" | [] | {} | undefined | external_order_id=EXT-1&qty=1 | <order/>',
).concat("", " ", WHOLE.slice(0, -1), `${WHOLE},`, `${WHOLE}x`, WHOLE + WHOLE, `[${WHOLE}]`);
const NO_JSON = listed(
  String.raw`'a' | {a:1} | [1,] | {"a":1,} | /**/1 | 1// | tru | True | "\x41" | "\u12g4" | "a | [1 2]`,
).concat('"\t"', '"\n"');
/** Such as V8 would put into one bucket, were its hashes without a seed. */
const MANY_NAMES = Array.from({ length: 15_000 }, (_, n) => `"${n * 16_384}":0`).join();

export const BODIES: Readonly<Record<string, readonly (readonly [name: string, body: string | Buffer])[]>> = {
  "duplicate keys": [
    ...anywhere(
      named(
        '{"a":1,"a":1}',
        '{"a":1,"a":2}',
        String.raw`{"a":1,"\u0061":2}`,
        '{"":1,"":2}',
        String.raw`{"é":1,"\u00e9":2}`,
        '{"a":{"b":[],"b":[]}}',
        '{"a":1,"b":2,"c":3,"a":4}',
      ),
    ),
    ["a second items", within(WHOLE, "{", `{"items":[],`)],
    ["a second items, escaped", within(WHOLE, "{", String.raw`{"item\u0073":[],`)],
    ["a second external_order_id", within(WHOLE, "{", '{"external_order_id":"EXT-2",')],
    ["a second callback_url", within(WHOLE, "{", `{"callback_url":${CALLBACK},`)],
    ["a second qty", orderText({ items: `[${within(itemText(), "{", '{"qty":1,')}]` })],
  ],
  ["__proto__"]: anywhere(
    named(
      '{"__proto__":1}',
      '{"__proto__":{"qty":9}}',
      '{"__proto__":null}',
      String.raw`{"\u005f_proto_\u005f":[]}`,
      '{"constructor":{"prototype":{}}}',
      '{"constructor":{"a":1,"prototype":{"b":2}}}',
      String.raw`{"constructo\u0072":{"p\u0072ototype":1}}`,
    ),
  ).concat([["__proto__ of the order", within(WHOLE, "{", '{"__proto__":{"reject":false},')]]),
  "NaN and its like": [
    ...anywhere(named(...NO_NUMBERS)),
    ...ofItem("qty", ...NO_NUMBERS),
    ...ofItem("unit_price_minor", ...NO_NUMBERS),
  ],
  "1e400": [
    ...anywhere(named("1e400", "-1e400", "1E+309", "9".repeat(400), `1${"0".repeat(309)}.5`)),
    ...ofItem("qty", "1e400", "-1e400", "9".repeat(400)),
    ...ofItem("unit_price_minor", "1e400", "-1e400", "9".repeat(400)),
  ],
  "2^53": [
    ...ofItem(
      "unit_price_minor",
      "9007199254740992",
      "9007199254740993",
      "9223372036854775807",
      "18446744073709551616",
    ),
    ...ofItem("unit_price_minor", "1e16", "1e308", "99999999999999999999999999"),
    ...ofItem("qty", "10001", "2147483648", "4294967297", "9007199254740992", "9007199254740993", "1e300"),
  ],
  "numbers in strings, and other coercions": [
    ...ofItem("qty", '"2"', '" 2"', '"0x2"', '""', "true", "false", "null", "[2]", "{}"),
    ...ofItem("unit_price_minor", '"1"', '"1e2"', '""', "true", "false", "null", "[1]", '{"valueOf":1}'),
    ...ofItem("qty", "0", "-1", "1.5", "0.1", "1e-400"),
    ...ofItem("unit_price_minor", "-1", "0.5", "-9007199254740991"),
    ...ofItem("sku", "5", "true", "null", '["ADULT"]', "{}"),
    ...ofItem(
      "currency",
      "764",
      "null",
      '["THB"]',
      '"thb"',
      '"TH"',
      '"THBX"',
      '" THB"',
      '"ТНВ"',
      String.raw`"THB\n"`,
    ),
    ...ofItem(
      "visit_date",
      "20261224",
      "null",
      '"2026-02-30"',
      '"2026-13-01"',
      '"2026-1-1"',
      '"0000-00-00"',
      '"2026-12-24Z"',
    ),
    ...ofItem("visit_date", '"２０２６-12-24"', String.raw`"2026-12-24\n"`, '["2026-12-24"]'),
    ...ofItem(
      "visit_time",
      "930",
      "null",
      '"24:00"',
      '"9:30"',
      '"09:60"',
      '"09:30:00"',
      String.raw`"09:30\n"`,
    ),
    ...ofOrder(
      "external_order_id",
      "42",
      "null",
      "true",
      '["EXT"]',
      '{"toString":"EXT"}',
      '""',
      `"${"x".repeat(129)}"`,
    ),
    ...ofOrder("callback_url", "1", "null", "true", `[${CALLBACK}]`, "{}", '""'),
    ...ofOrder(
      "items",
      "null",
      "{}",
      '"[]"',
      "[]",
      "1",
      "[null]",
      "[[]]",
      '["x"]',
      "[1]",
      '{"0":{},"length":1}',
      `[${itemText()},{}]`,
    ),
    ...ofOrder("buyer", ...NO_OBJECTS, "[]", '[{"name":"A"}]'),
  ],
  "-0 and other spellings of whole numbers": [
    ...ofItem("qty", "-0", "0.0", "1.0", "1e0", "1E1", "10e-1", "-0.0", "1.00"),
    ...ofItem("unit_price_minor", "-0", "-0.0", "0.0", "1.0", "1e2", "1E+2", "100e-2", "9007199254740991.0"),
  ],
  "lone surrogates": anywhere(
    named(
      String.raw`"\ud800"`,
      String.raw`"\udfff"`,
      String.raw`"\ude00\ud83d"`,
      String.raw`"a\uD83Dz"`,
      String.raw`"\ud83d\ud83d\ude00"`,
      String.raw`{"\udead":1}`,
    ),
  ).concat(ofItem("sku", String.raw`"\ud800"`), ofOrder("external_order_id", String.raw`"EXT\ud800"`)),
  NUL: [
    ...ofItem("sku", ...NO_TEXTS),
    ...ofItem("currency", `"TH${NUL}"`, `"THB${NUL}"`),
    ...ofItem("visit_date", `"2026-12-24${NUL}"`),
    ...ofItem("visit_time", `"09:30${NUL}"`),
    ...ofOrder("external_order_id", `"${NUL}"`, `"EXT${NUL}"`, `"EXT${NUL}-1"`),
    ...ofOrder("callback_url", `"http://127.0.0.1:1/${NUL}"`, `"http://127.0.0.1${NUL}:1/"`),
    ...anywhere({ "a raw NUL": '"\0"', "a raw NUL in a name": '{"\0":1}', "a NUL between tokens": "1\0" }),
    ["a NUL before", `\0${WHOLE}`],
    ["a NUL behind", `${WHOLE}\0`],
  ],
  "invalid UTF-8": Object.entries({
    "a byte of none": [0xff],
    "a lone continuation": [0x80],
    "an overlong slash": [0xc0, 0xaf],
    "an overlong NUL": [0xc0, 0x80],
    "three overlong bytes": [0xe0, 0x80, 0xaf],
    "an encoded surrogate": [0xed, 0xa0, 0x80],
    "a pair of encoded surrogates": [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80],
    "a cut sequence": [0xe2, 0x82],
    "beyond U+10FFFF": [0xf4, 0x90, 0x80, 0x80],
    "five bytes": [0xf8, 0x88, 0x80, 0x80, 0x80],
    Latin1: [0xe9],
  }).flatMap(([name, bytes]) =>
    [
      ...anywhere({ [name]: '"\ue000"', [`${name} in a name`]: '{"\ue000":1}' }),
      [`${name} between tokens`, `\ue000${WHOLE}`],
    ].map(([place, text]): [string, Buffer] => [place!, withBytes(text!, Buffer.from(bytes))]),
  ),
  BOM: [
    ["UTF-8", `\ufeff${WHOLE}`],
    ["UTF-8, twice", `\ufeff\ufeff${WHOLE}`],
    ["behind a blank", ` \ufeff${WHOLE}`],
    ["at the end", `${WHOLE}\ufeff`],
    ["UTF-16LE", Buffer.from(`\ufeff${WHOLE}`, "utf16le")],
    ["UTF-16BE", Buffer.from(`\ufeff${WHOLE}`, "utf16le").swap16()],
    ["UTF-16LE without one", Buffer.from(WHOLE, "utf16le")],
    ["alone", "\ufeff"],
    ...anywhere({ "between tokens": "\ufeff1" }),
  ],
  nesting: [
    ...[32, 33, 100, 1000, 100_000].flatMap((depth) =>
      Object.entries({
        "an unknown field": (source: string) => orderText({ x: source }),
        "the buyer": PLACES["the buyer"]!,
      }).map(([place, at]): [string, string] => [
        `${depth} arrays in ${place}`,
        at("[".repeat(depth) + "]".repeat(depth)),
      ]),
    ),
    ["100,000 arrays, open", "[".repeat(100_000)],
    ["40,000 objects, open", '{"a":'.repeat(40_000)],
    ["32 objects in the buyer", orderText({ buyer: `${'{"a":'.repeat(32)}1${"}".repeat(32)}` })],
    ["100,000 arrays for the order", "[".repeat(100_000) + "]".repeat(100_000)],
    ["100,000 arrays for items", orderText({ items: "[".repeat(100_000) + "]".repeat(100_000) })],
  ],
  "what is no JSON, or no order": [
    ...NO_ORDERS.map((text): [string, string] => [JSON.stringify(text.slice(0, 40)), text]),
    ...anywhere(named(...NO_JSON)),
    ...["external_order_id", "callback_url", "items"].map((name): [string, string] => [
      `without ${name}`,
      WHOLE.replace(`"${name}"`, '"y"'),
    ]),
    ...["sku", "qty", "unit_price_minor", "currency"].map((name): [string, string] => [
      `without ${name}`,
      orderText({ items: `[${itemText().replace(`"${name}"`, '"y"')}]` }),
    ]),
    ["501 items", orderText({ items: `[${Array(501).fill(itemText()).join()}]` })],
    ["80,000 items", orderText({ items: `[${"{},".repeat(80_000)}{}]` })],
    ["an item of 15,000 names", orderText({ items: `[{${MANY_NAMES}}]` })],
  ],
  "header injection": [
    ...ofOrder(
      "external_order_id",
      ...[
        String.raw`\r\n`,
        String.raw`\n`,
        String.raw`\r`,
        String.raw`\u000d\u000a`,
        String.raw`\u2028`,
        String.raw`\u0085`,
        "嘊嘍",
        "é",
        " ",
        String.raw`\t`,
        String.raw`\u007f`,
        "\u00a0",
      ].map((end) => `"EXT-1${end}X-Evil: 1"`),
    ),
    ...ofOrder(
      "external_order_id",
      String.raw`"EXT-1\r\n"`,
      String.raw`"\r\n\r\nGET / HTTP/1.1"`,
      '"EXT-1 "',
      '"\r\n"',
    ),
    ...ofOrder(
      "callback_url",
      String.raw`"http://127.0.0.1:1/\r\nX-Evil: 1"`,
      '"http://127.0.0.1:1/ HTTP/1.1"',
      String.raw`"http://127.0.0.1:1\t/"`,
    ),
  ],
};

function withBytes(text: string, bytes: Buffer): Buffer {
  const [left = "", right = ""] = text.split("\ue000");
  return Buffer.concat([Buffer.from(left), bytes, Buffer.from(right)]);
}
