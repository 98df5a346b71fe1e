import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { onEachDatabase } from "../../support/databases.ts";
import { orderText } from "./bodies.ts";
import {
  CLOSE,
  head,
  HOST,
  type Hostile,
  JSON_TYPE,
  layIn,
  listed,
  PARTNER,
  POST,
  posted,
  type Siege,
} from "./siege.ts";

const ORDER = orderText();
const SIZE = Buffer.byteLength(ORDER);
const HEX = SIZE.toString(16);
const CHUNKED = "Transfer-Encoding: chunked";
const CHUNKS = `${HEX}\r\n${ORDER}\r\n0\r\n\r\n`;
const GOOD = [...PARTNER, JSON_TYPE];
/** What an attacker hides behind a request, for the next one on the connection to begin with. */
const SMUGGLED = posted(orderText({ external_order_id: '"SMUGGLED"' })).toString();

type Cases = Readonly<Record<string, string | Buffer>>;
const refused = (cases: Cases, answers: readonly number[] = [400]): Hostile[] =>
  Object.entries(cases).map(([name, bytes]) => ({ name, bytes, answers }));
const withLines = (lines: readonly string[], body: string) => head(POST, HOST, ...GOOD, ...lines) + body;
const named = (values: readonly string[], request: (value: string) => string): Cases =>
  Object.fromEntries(values.map((value) => [JSON.stringify(value).slice(0, 60), request(value)]));

const LENGTHS = listed(`
  ${SIZE}, ${SIZE} | +${SIZE} | -${SIZE} | -1 | 0x${HEX} | ${SIZE}a | a${SIZE} | ${SIZE}.0 | 1e2 | ${SIZE} ${SIZE}
`).concat("", " ");
const HUGE_LENGTHS = ["18446744073709551617", "9".repeat(40)];
const CODINGS = listed(`
  xchunked | chunkedx | identity | gzip | chunked, identity | chunked, chunked | gzip, chunked | identity, chunked
  chunked;q=1 | "chunked" | chunked, | ,chunked | chun\u0000ked | chunked\u0000 | [chunked] | chunked chunked | chu nked
`).concat("", "\u000bchunked");
const SIZES = [
  `0x${HEX}`,
  ` ${HEX}`,
  `${HEX} `,
  `-${HEX}`,
  `+${HEX}`,
  "",
  "zz",
  `${HEX}\n`,
  `${HEX};\n`,
  `${HEX};a="\n"`,
  `${HEX}\r`,
  "1_0",
  "FFFFFFFFFFFFFFFFF",
  `${"0".repeat(40)}g`,
];

const LENGTH_AND_CODING: Cases = {
  "Content-Length, then Transfer-Encoding": withLines([`Content-Length: ${SIZE}`, CHUNKED], CHUNKS),
  "Transfer-Encoding, then Content-Length": withLines([CHUNKED, `Content-Length: ${SIZE}`], CHUNKS),
  "CL.TE": withLines([`Content-Length: ${5 + SMUGGLED.length}`, CHUNKED], `0\r\n\r\n${SMUGGLED}`),
  "TE.CL": withLines(
    [CHUNKED, "Content-Length: 4"],
    `${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`,
  ),
  "CL.0": withLines(["Content-Length: 0", CHUNKED], SMUGGLED),
  "on a GET": head("GET /health HTTP/1.1", HOST, "Content-Length: 5", CHUNKED) + `0\r\n\r\n${SMUGGLED}`,
  "Transfer-Encoding in HTTP/1.0": head("POST /orders HTTP/1.0", HOST, ...GOOD, CHUNKED) + CHUNKS,
  "and kept alive": head("POST /orders HTTP/1.0", HOST, ...GOOD, "Connection: keep-alive", CHUNKED) + CHUNKS,
};
const TWO_LENGTHS: Cases = {
  "the same twice": withLines([`Content-Length: ${SIZE}`, `Content-Length: ${SIZE}`], ORDER),
  "0 first": withLines(["Content-Length: 0", `Content-Length: ${SIZE}`], ORDER),
  "0 last": withLines([`Content-Length: ${SIZE}`, "content-length: 0"], ORDER),
  "one of them empty": withLines([`Content-Length: ${SIZE}`, "Content-Length:"], ORDER),
  ...named([...LENGTHS, ...HUGE_LENGTHS], (value) => withLines([`Content-Length: ${value}`], ORDER)),
  "a length in a trailer": withLines([CHUNKED], `${HEX}\r\n${ORDER}\r\n0\r\nContent-Length: 5\r\n\r\n`),
  "a coding in a trailer": withLines([CHUNKED], `${HEX}\r\n${ORDER}\r\n0\r\n${CHUNKED}\r\n\r\n`),
};
const STRANGE_CODINGS: Cases = {
  ...named(CODINGS, (value) => withLines([`Transfer-Encoding: ${value}`], CHUNKS)),
  "chunked twice": withLines([CHUNKED, CHUNKED], CHUNKS),
  "chunked, then another line": withLines([CHUNKED, "Transfer-Encoding: identity"], CHUNKS),
  "another line, then chunked": withLines(["Transfer-Encoding: x", CHUNKED], CHUNKS),
  "a blank before the colon": withLines(["Transfer-Encoding : chunked"], CHUNKS),
  "a tab before the colon": withLines(["Transfer-Encoding\t: chunked"], CHUNKS),
  "a blank before the name": withLines(["X: y", " Transfer-Encoding: chunked"], CHUNKS),
  folded: withLines(["Transfer-Encoding:\r\n chunked"], CHUNKS),
  "folded in the middle": withLines(["Transfer-Encoding: chu\r\n nked"], CHUNKS),
};
const FOLDS: Cases = {
  "a value": withLines([`Content-Length: ${SIZE}`, "X-Note: a\r\n b"], ORDER),
  "by a tab": withLines([`Content-Length: ${SIZE}`, "X-Note: a\r\n\tb"], ORDER),
  "a token":
    head(
      POST,
      HOST,
      "X-Partner-Id: demo",
      "X-Partner-Token:\r\n demotoken",
      JSON_TYPE,
      `Content-Length: ${SIZE}`,
    ) + ORDER,
  "a length": withLines(["Content-Length: 1\r\n 2"], ORDER),
  "a length, from nothing": withLines([`Content-Length:\r\n ${SIZE}`], ORDER),
  "the first line": head(POST, ` ${HOST}`, ...GOOD, `Content-Length: ${SIZE}`) + ORDER,
  "a line of blanks": withLines([`Content-Length: ${SIZE}`, "X-Note: a\r\n "], ORDER),
};
const whole = withLines([`Content-Length: ${SIZE}`], ORDER);
const BARE: Cases = {
  "LF for every CRLF": whole.replaceAll("\r\n", "\n"),
  "LF behind the request line": whole.replace("\r\n", "\n"),
  "LF behind one header": whole.replace(`${HOST}\r\n`, `${HOST}\n`),
  "LF at the end of the head": whole.replace("\r\n\r\n", "\r\n\n"),
  "LFLF at the end of the head": whole.replace("\r\n\r\n", "\n\n"),
  "LF in a value": whole.replace(HOST, `${HOST}\nX-Note: b`),
  "CR in a value": whole.replace(HOST, `${HOST}\rX-Note: b`),
  CRCRLF: whole.replace(`${HOST}\r\n`, `${HOST}\r\r\n`),
  "NUL in a value": whole.replace(HOST, `${HOST}\r\nX-Note: a\0b`),
  "LF behind a chunk size": withLines([CHUNKED], CHUNKS.replace("\r\n", "\n")),
  "LF behind a chunk": withLines([CHUNKED], `${HEX}\r\n${ORDER}\n0\r\n\r\n`),
  "LF behind the last chunk": withLines([CHUNKED], `${HEX}\r\n${ORDER}\r\n0\n\n`),
};
const CHUNK_SIZES: Cases = {
  ...named(SIZES, (value) => withLines([CHUNKED], `${value}\r\n${ORDER}\r\n0\r\n\r\n`)),
  "a chunk longer than it says": withLines([CHUNKED], `2\r\n${ORDER}\r\n0\r\n\r\n`),
  "no CRLF behind a chunk": withLines([CHUNKED], `${HEX}\r\n${ORDER}0\r\n\r\n`),
  "no chunks at all": withLines([CHUNKED], ORDER),
};
const LINES = listed(`
  GET http://gateway.example/health HTTP/1.1 | POST http://gateway.example/orders HTTP/1.1 | GET https://evil.example/ HTTP/1.1
  GET HTTP://gateway.example/orders HTTP/1.1 | OPTIONS * HTTP/1.1 | GET * HTTP/1.1 | POST * HTTP/1.1 | GET gateway.example:80 HTTP/1.1
  GET health HTTP/1.1 | GET ../health HTTP/1.1 | GET ?/health HTTP/1.1 | GET #/health HTTP/1.1 | POST /orders#x HTTP/1.1
  GET ws://a/health HTTP/1.1 | GET /health HTTP/1.2 | GET /health HTTP/2.0 | GET /health HTTP/3.0 | GET /health HTTP/11
  GET /health HTTP/1.01 | GET /health HTTP/1,1 | GET /health http/1.1 | GET /health | GET /health HTTP | /health HTTP/1.1 | GET
  GET\t/health\tHTTP/1.1 | GET /hea lth HTTP/1.1 | GET /health HTTP/1.1 x | get /health HTTP/1.1 | G\u00cbT /health HTTP/1.1
  EVIL /health HTTP/1.1 | GET /h\u00e9alth HTTP/1.1 | GET /health\0 HTTP/1.1 | PRI * HTTP/2.0
`).concat(" GET /health HTTP/1.1");
const TARGETS: Cases = named(LINES, (line) => head(line, HOST, ...GOOD, `Content-Length: ${SIZE}`) + ORDER);
const MALFORMED: Cases = {
  ...Object.fromEntries(
    ["", "no colon", ": no name", "na me: x", "n\u00e4me: x", "name\0: x", "(name): x", "name : x"]
      .slice(1)
      .map((line) => [line, withLines([line, `Content-Length: ${SIZE}`], ORDER)]),
  ),
  TLS: Buffer.from("16030100a5010000a10303", "hex"),
  "an HTTP/2 preface": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
  rubbish: "\u0000\u0001\u0002\r\n\r\n",
  "no Host": head("POST /orders HTTP/1.1", ...GOOD, `Content-Length: ${SIZE}`) + ORDER,
  "two Hosts": withLines([HOST, `Content-Length: ${SIZE}`], ORDER),
  "two different Hosts": withLines(["Host: evil.example", `Content-Length: ${SIZE}`], ORDER),
  ...named(["a b", "a/b", "user@a", "a:b", "a:80:80", "[::1", "a\\b", "http://a", "\u00e9"], (host) =>
    head("GET /health HTTP/1.1", `Host: ${host}`),
  ),
  ...named(["tea", "200-ok"], (value) => withLines([`Expect: ${value}`, `Content-Length: ${SIZE}`], ORDER)),
};
const get = head("GET /health HTTP/1.1", HOST);
const broken = posted("{}").toString().replace(`${CLOSE}\r\n`, "");
const BEHIND: readonly Hostile[] = [
  ...refused(
    {
      "behind a GET": `${get}rubbish\r\n\r\n`,
      "NUL behind a GET": `${get}\0\0\0\0`,
      "TLS behind a GET": `${get}\u0016\u0003\u0001`,
    },
    [200, 400],
  ),
  ...refused(
    {
      "behind a refused order": `${broken}rubbish\r\n\r\n`,
      "a second body": `${broken}${ORDER}\r\n\r\n`,
      "a smuggled head": `${broken}X: ${SMUGGLED}`,
    },
    [400, 400],
  ),
  // The parser of bodies ends the connection by itself.
  ...refused({
    "a length too short": withLines([`Content-Length: ${SIZE - 5}`], ORDER),
    "no length": withLines([], ORDER),
  }),
  ...refused(
    {
      "a body of a GET that is a request":
        head("GET /health HTTP/1.1", HOST, CLOSE, `Content-Length: ${SMUGGLED.length}`) + SMUGGLED,
    },
    [200],
  ),
  // Node's parser hears the one it knows.
  ...refused(
    { "two expectations": withLines(["Expect: 100-continue, tea", `Content-Length: ${SIZE}`], ORDER) },
    [100, 400],
  ),
  ...refused({ "behind two requests": `${get}${get}${get}rubbish` }, [200, 200, 200, 400]),
  // Whoever asks for a tunnel while answers are due gets neither.
  ...refused({ "CONNECT behind a GET": `${get}${head("CONNECT evil.example:443 HTTP/1.1", HOST)}` }, []),
];
const METHODS_AND_PATHS: readonly Hostile[] = [
  ...refused(
    {
      CONNECT: head("CONNECT evil.example:443 HTTP/1.1", HOST),
      ...named(
        listed("TRACE | PUT | PATCH | DELETE | OPTIONS | QUERY | PURGE | PROPFIND | M-SEARCH | SOURCE"),
        (method) => head(`${method} /orders HTTP/1.1`, HOST, CLOSE, ...PARTNER),
      ),
    },
    [405],
  ),
  ...refused(
    named(
      [
        "//orders",
        "/orders/",
        "/ORDERS",
        "/x/../orders",
        "/orders;a=1",
        "/orders%2f",
        "/orders%00",
        "/orders/%zz",
        "/orders/%c3%28",
        "/.",
        `/orders/${"1".repeat(5000)}`,
      ],
      (path) => head(`GET ${path} HTTP/1.1`, HOST, CLOSE, ...PARTNER),
    ),
    [404],
  ),
  ...refused(
    named(
      [
        "/orders?limit=1&limit=2",
        "/orders?__proto__[x]=1",
        "/orders?limit=1e1",
        "/orders?before=9007199254740992",
        "/orders?external_order_id=%00",
        "/orders?x=%",
        "/orders?%00",
      ],
      (path) => head(`GET ${path} HTTP/1.1`, HOST, CLOSE, ...PARTNER),
    ),
  ),
  ...refused(
    named(
      ["0", "-1", "1.0", "1e3", "0x1", "01", "9007199254740992", "%31%00", "NaN", "__proto__", "1'--"],
      (id) => head(`GET /orders/${id} HTTP/1.1`, HOST, CLOSE, ...PARTNER),
    ),
    [404],
  ),
];

onEachDatabase("hostile framing", (kind) => {
  let siege: Siege;
  before(async () => {
    siege = await layIn(kind);
  });
  after(() => siege?.stop());

  for (const [family, hostiles] of Object.entries({
    "Content-Length and Transfer-Encoding": refused(LENGTH_AND_CODING),
    "two and strange Content-Lengths": refused(TWO_LENGTHS),
    "strange Transfer-Encodings": refused(STRANGE_CODINGS),
    "folded lines": refused(FOLDS),
    "bare LF and CR": refused(BARE),
    "bad chunks": refused(CHUNK_SIZES),
    "request lines": refused(TARGETS),
    "malformed requests": refused(MALFORMED),
    "rubbish behind a request": BEHIND,
    "methods, paths and queries": METHODS_AND_PATHS,
  })) {
    test(family, (t) => siege.withstand(t, family, hostiles));
  }

  test("an order with rubbish behind it is stored whole and told so, and the rubbish is refused", async () => {
    const before = await siege.stored();
    const good = posted(orderText({}, `"${siege.partner.url}/cb"`), "Idempotency-Key: whole").toString();
    const answers = await siege.exchange(`${good.replace(`${CLOSE}\r\n`, "")}rubbish\r\n\r\n`);
    assert.deepEqual(
      answers.map(({ status }) => status),
      [201, 400],
    );
    const after = Object.entries(before).map(([table, count]) => [table, count + 1]);
    assert.deepEqual(await siege.stored(), Object.fromEntries(after));
  });

  test("nothing of all that is kept in memory", () => siege.assertLittleIsHeld());
});
