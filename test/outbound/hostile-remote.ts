import { once } from "node:events";
import { type AddressInfo, type Socket, createServer } from "node:net";
import { gzipSync } from "node:zlib";
import type { AnswerError } from "../../src/outbound/http-failure.ts";

export type Leg = "ticketing" | "callback";

/** What the attempt has to say of the other side's behaviour. */
interface Expected {
  readonly code: number | null;
  readonly error: AnswerError | null;
}

export interface Hostility {
  /** Begins once the whole request has come. */
  readonly act: (socket: Socket) => void;
  readonly expected: Readonly<Record<Leg, Expected>>;
}

export interface HostileRemote {
  /** `http://127.0.0.1:port`; its paths are `/ticketing` and `/callback`. */
  readonly url: string;
  close(): Promise<void>;
}

const MIB = 1024 * 1024;
const DRIP_MS = 100;
const OK = "HTTP/1.1 200 OK\r\n";
const CHUNKED = `${OK}transfer-encoding: chunked\r\n\r\n`;

/** Members of gzip may follow each other: 200 KiB of these are 200 MiB unpacked. */
const gzippedMib = gzipSync(Buffer.alloc(MIB));

/** Says it and hangs up. */
const say =
  (...parts: (string | Buffer)[]) =>
  (socket: Socket) => {
    for (const part of parts) socket.write(part);
    socket.end();
  };

/** Says it and resets the connection when it has been heard. */
const sayAndReset = (text: string) => (socket: Socket) => {
  socket.write(text, () => setTimeout(() => socket.resetAndDestroy(), 20));
};

/** Says it, then nothing any more. */
const sayAndHang = (text: string) => (socket: Socket) => void socket.write(text);

/** Says it, then a little more now and then. */
const drip =
  (text: string, more: string, everyMs = DRIP_MS) =>
  (socket: Socket) => {
    socket.write(text);
    const timer = setInterval(() => socket.write(more), everyMs);
    socket.once("close", () => clearInterval(timer));
  };

/** Says it, then the same again and again, without end but leaving time for others: some 6 MB a second. */
const stream = (text: string, unit: string) => drip(text, unit.repeat(Math.ceil(65_536 / unit.length)), 10);

/** Says it, then the same again and again, as fast as it is taken; up to a number of bytes, or without end. */
const pour =
  (text: string, unit: string | Buffer, bytes = Number.POSITIVE_INFINITY) =>
  (socket: Socket) => {
    const chunk = Buffer.concat(
      Array.from({ length: Math.ceil(65_536 / unit.length) }, () => Buffer.from(unit)),
    );
    let left = bytes;
    socket.write(text);
    const more = () => {
      while (!socket.destroyed && socket.writable && left > 0) {
        const part = chunk.subarray(0, left);
        left -= part.length;
        if (!socket.write(part)) return;
      }
    };
    socket.on("drain", more);
    more();
  };

function both(code: number | null, error: AnswerError | null): Hostility["expected"] {
  return { ticketing: { code, error }, callback: { code, error } };
}

function each(names: Record<string, (socket: Socket) => void>, expected: Hostility["expected"]) {
  return Object.fromEntries(Object.entries(names).map(([name, act]) => [name, { act, expected }]));
}

/** Those that come to their end by themselves, or to a limit of ours, each far quicker than any deadline. */
export const QUICK: Readonly<Record<string, Hostility>> = {
  ...each(
    {
      "reset-at-once": (socket) => socket.resetAndDestroy(),
      "reset-in-the-status": sayAndReset("HTTP/1.1 20"),
      "reset-in-the-headers": sayAndReset(`${OK}content-le`),
      "closed-at-once": say(),
      "closed-in-the-headers": say(`${OK}content-le`),
    },
    both(null, "reset"),
  ),
  ...each(
    {
      "reset-in-the-body": sayAndReset(`${OK}content-length: 10\r\n\r\nhalf`),
      "reset-in-a-chunk": sayAndReset(`${CHUNKED}5\r\nhal`),
      "closed-in-the-body": say(`${OK}content-length: 10\r\n\r\nhalf`),
      "closed-between-chunks": say(`${CHUNKED}4\r\nhalf\r\n`),
    },
    both(200, "reset"),
  ),
  ...each(
    {
      "headers-100-of-8-kb": say(
        OK,
        ...Array.from({ length: 100 }, (_, index) => `h${index}: ${"x".repeat(8192)}\r\n`),
        "content-length: 0\r\n\r\n",
      ),
      "headers-without-end": pour(OK, `a: ${"x".repeat(8192)}\r\n`),
      "header-value-without-end": pour(`${OK}a: `, "x"),
      "header-name-without-end": pour(OK, "x"),
      "headers-tiny-without-end": pour(OK, "a:b\r\n"),
      "no-http-ssh": say("SSH-2.0-OpenSSH_9.6\r\n"),
      "no-http-html": say("<!doctype html><title>hello</title>"),
      "no-http-http2": say(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0])),
      "no-http-tls": say(Buffer.from([21, 3, 3, 0, 2, 2, 40])),
      "no-http-nul": say("\u0000".repeat(100)),
      "version-unknown": say("HTTP/3.7 200 OK\r\n\r\n"),
      "status-of-four-digits": say("HTTP/1.1 2000 OK\r\n\r\n"),
      "status-of-two-digits": say("HTTP/1.1 20 OK\r\n\r\n"),
      "status-under-100": say("HTTP/1.1 099 OK\r\ncontent-length: 0\r\n\r\n"),
      "status-in-words": say("HTTP/1.1 two OK\r\n\r\n"),
      "lengths-that-differ": say(`${OK}content-length: 1\r\ncontent-length: 2\r\n\r\nab`),
      "length-negative": say(`${OK}content-length: -1\r\n\r\n`),
      "length-too-long": say(`${OK}content-length: 99999999999999999999999\r\n\r\n`),
      "length-and-chunks": say(`${OK}content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`),
      "nul-in-a-header": say(`${OK}a: b\u0000c\r\ncontent-length: 0\r\n\r\n`),
      "bare-line-feeds": say("HTTP/1.1 200 OK\ncontent-length: 0\n\n"),
      "folded-header": say(`${OK}a: b\r\n c\r\ncontent-length: 0\r\n\r\n`),
      "space-before-colon": say(`${OK}content-length : 0\r\n\r\n`),
      "continue-unasked": say(`HTTP/1.1 100 Continue\r\n\r\n${OK}content-length: 0\r\n\r\n`),
      "other-protocol": say("HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n"),
    },
    both(null, "protocol"),
  ),
  ...each(
    {
      "chunk-size-in-words": say(`${CHUNKED}many\r\n`),
      "chunk-size-too-long": say(`${CHUNKED}fffffffffffffffff\r\n`),
      "chunk-longer-than-said": say(`${CHUNKED}1\r\nabc\r\n0\r\n\r\n`),
      "trailers-without-end": pour(`${CHUNKED}0\r\n`, `a: ${"x".repeat(1000)}\r\n`),
    },
    both(200, "protocol"),
  ),
  ...each(
    {
      "gzip-bomb-of-10-mib": say(
        `${OK}content-encoding: gzip\r\n\r\n`,
        ...Array.from({ length: 10 }, () => gzippedMib),
      ),
      "gzip-that-is-none": say(`${OK}content-encoding: gzip\r\ncontent-length: 4\r\n\r\nnone`),
      "encodings-unheard-of": say(`${OK}content-encoding: br, zstd, x\r\ncontent-length: 4\r\n\r\nnone`),
      "headers-of-objects": say(
        `${OK}__proto__: a\r\n__proto__: b\r\nconstructor: c\r\nconstructor: d\r\n\r\n`,
      ),
      "body-of-nul": say(`${OK}content-length: 4\r\n\r\n\u0000\u0000\u0000\u0000`),
      "body-of-half-characters": say(`${OK}content-length: 3\r\n\r\n`, Buffer.from([0xed, 0xa0, 0x80])),
    },
    both(200, null),
  ),
};

/** Those that have more to say than anyone wants to hear. */
export const LARGE: Readonly<Record<string, Hostility>> = {
  ...each(
    {
      "body-200-mb": pour(`${OK}content-length: ${200 * MIB}\r\n\r\n`, "x", 200 * MIB),
      "body-without-end": pour(`${OK}\r\n`, "x"),
      "chunks-without-end": pour(CHUNKED, `1000\r\n${"x".repeat(4096)}\r\n`),
      "gzip-without-end": pour(`${OK}content-encoding: gzip\r\n\r\n`, gzippedMib),
    },
    both(200, "too_large"),
  ),
  ...each({ "refused-without-end": pour("HTTP/1.1 404 Not Found\r\n\r\n", "x") }, both(404, "too_large")),
  ...each({ "failure-of-200-mb": pour("HTTP/1.1 500 Oops\r\n\r\n", "x", 200 * MIB) }, both(500, "too_large")),
  // Nothing is ever unpacked: what counts is what was sent.
  "gzip-bomb-of-200-mib": {
    act: say(`${OK}content-encoding: gzip\r\n\r\n`, ...Array.from({ length: 200 }, () => gzippedMib)),
    expected: { ticketing: { code: 200, error: null }, callback: { code: 200, error: "too_large" } },
  },
};

/** Those that only the deadline ends. */
export const SLOW: Readonly<Record<string, Hostility>> = {
  ...each(
    {
      silence: sayAndHang(""),
      "status-in-drips": drip("HTTP/1.1 200 ", "O"),
      "headers-in-drips": drip(`${OK}a: `, "b"),
      "interim-in-drips": drip("", "HTTP/1.1 103 Early Hints\r\n\r\n"),
      "headers-and-no-more": sayAndHang(`${OK}a: b\r\n`),
      "interim-without-end": stream("", "HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n"),
      "reason-without-end": stream("HTTP/1.1 200 ", "O"),
      "spaces-without-end": stream(`${OK}a:`, " "),
      "empty-lines-without-end": stream("", "\r\n"),
    },
    both(null, "timeout"),
  ),
  ...each(
    {
      "body-in-drips": drip(`${OK}\r\n`, "x"),
      "chunks-in-drips": drip(CHUNKED, "1\r\nx\r\n"),
      "chunk-extension-in-drips": drip(`${CHUNKED}1;`, "a"),
      "body-that-never-comes": sayAndHang(`${OK}content-length: 10\r\n\r\n`),
      "last-chunk-that-never-comes": sayAndHang(`${CHUNKED}1\r\nx\r\n`),
      "chunk-extension-without-end": stream(`${CHUNKED}1;`, "a"),
      "chunk-size-without-end": stream(CHUNKED, "0"),
    },
    both(200, "timeout"),
  ),
};

const ALL: Readonly<Record<string, Hostility>> = { ...QUICK, ...LARGE, ...SLOW };

/**
 * A server on loopback whose behaviour the order chooses by its external id, `<leg>.<behaviour>`: hostile on that leg,
 * and a plain 200 otherwise.
 */
export async function startHostileRemote(): Promise<HostileRemote> {
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    let received = "";
    sockets.add(socket);
    socket.on("error", () => {}).once("close", () => sockets.delete(socket));
    socket.on("data", (bytes: Buffer) => {
      received += bytes.toString("latin1");
      const request = wholeRequest(received);
      if (request === null) return;
      received = "";
      const [leg, name = ""] = request.externalId.split(".");
      const hostility = leg === request.leg ? ALL[name] : undefined;
      if (hostility === undefined) socket.write(`${OK}content-length: 0\r\n\r\n`);
      else hostility.act(socket);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

function wholeRequest(received: string): { leg: string; externalId: string } | null {
  const [head = "", body] = received.split("\r\n\r\n", 2);
  const field = (name: string) => new RegExp(`^${name}: (.*)$`, "im").exec(head)?.[1]?.trim() ?? "";
  if (body === undefined || body.length < Number(field("content-length"))) return null;
  return { leg: /^POST \/(\w+)/.exec(head)?.[1] ?? "", externalId: field("x-external-order-id") };
}
