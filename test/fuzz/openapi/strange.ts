import * as fc from "fast-check";
import { words } from "../words.ts";

/** What somebody may send where a number, a name or a key belongs. */
export const PARAMETER_TEXTS = [
  ...words(
    '0 -1 -0 1.0 1e2 0x1 01 +1 1_0 ٣ null true [1] 1,2 % é 😀 "" "a" .. 9007199254740991 9007199254740992',
  ),
  "",
  "a b",
  "\0",
  "9".repeat(400),
];

export const TARGET_PIECES = [
  ...words("% %zz %ff %00 %2f %2e%2e / // /.. ? & = # ; * ?x=1 &x[]=1 &__proto__=1 http://localhost"),
  "\xe9",
  " ",
  "\t",
  "a".repeat(40),
  "a".repeat(3000),
];

export const NAMES_OF_HEADERS =
  words(`X-Forwarded-For Forwarded Via Host Connection Expect Upgrade HTTP2-Settings
  Transfer-Encoding Content-Length Content-Encoding TE Trailer Range If-Match If-None-Match Accept Accept-Encoding
  Cookie Origin Authorization User-Agent X-HTTP-Method-Override traceparent Date X-Any`);

export const HEADER_VALUES = [
  ...words(`0 -1 1 , " ; * close upgrade keep-alive unknown 100-continue h2c websocket gzip identity chunked trailers
    bytes=0-1 1.2.3.4 1.2.3.4,[::1]:80 ::ffff:1.2.3.4`),
  "",
  "\xe9\xff",
  "\x01",
  "x".repeat(9000),
  "x".repeat(20_000),
];

type ByteChange = (bytes: Buffer) => Buffer;

const PIECES = ["\0", "\ufeff", ...words('" \\ \\ud800 { } [ ] , : 1.0 e1 - null')];
const flipped = fc
  .tuple(fc.nat(), fc.integer({ min: 1, max: 255 }))
  .map(([at, mask]): ByteChange => (bytes) => {
    const changed = Buffer.from(bytes);
    if (changed.length > 0) changed[at % changed.length]! ^= mask;
    return changed;
  });
const cutOff = fc.nat().map(
  (at): ByteChange =>
    (bytes) =>
      bytes.subarray(0, at % (bytes.length + 1)),
);
const replaced = fc
  .tuple(fc.nat(), fc.nat(4), fc.constantFrom(...PIECES))
  .map(([where, gone, piece]): ByteChange => (bytes) => {
    const at = where % (bytes.length + 1);
    return Buffer.concat([bytes.subarray(0, at), Buffer.from(piece), bytes.subarray(at + gone)]);
  });
/** Every member once more. */
const doubled: ByteChange = (bytes) =>
  Buffer.concat([bytes.subarray(0, -1), Buffer.from(","), bytes.subarray(1)]);
/** More blanks than a body may have bytes. */
const swollen: ByteChange = (bytes) => Buffer.concat([bytes, Buffer.alloc(256 * 1024, " ")]);

export const byteChange = fc.oneof(
  { weight: 12, arbitrary: flipped },
  { weight: 6, arbitrary: cutOff },
  { weight: 12, arbitrary: replaced },
  { weight: 2, arbitrary: fc.constant(doubled) },
  { weight: 1, arbitrary: fc.constant(swollen) },
);
