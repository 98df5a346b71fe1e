import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { Draft, Known } from "./draft.ts";

export interface Answer {
  readonly status: number;
  /** As sent, names in lower case. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
}

/** One request and what came back; null where the connection ended without an answer. */
export interface Exchange {
  readonly draft: Draft;
  readonly sent: Buffer;
  readonly answer: Answer | null;
}

export interface Wire {
  exchange(draft: Draft, known: Known): Promise<Exchange>;
  close(): void;
}

const EMPTY = Buffer.alloc(0);
/** Bounds of waiting, far from what an answer takes: a request that meets it has failed. */
const WAIT_MS = 20_000;

/** Sends bytes as they are and reads what comes back, one request at a time on each of a few connections kept alive. */
export function openWire(url: string): Wire {
  const { hostname, port } = new URL(url);
  const idle: Socket[] = [];

  async function open(): Promise<Socket> {
    const socket = connect(Number(port), hostname);
    // Whatever ends it, what came before is looked at.
    socket.setNoDelay(true).on("error", () => {});
    await once(socket, "connect");
    return socket;
  }

  return {
    async exchange(draft, known) {
      const pieces = bytesOf(draft, known);
      const sent = Buffer.concat(pieces);
      const kept = draft.alone ? undefined : idle.pop();
      const socket = kept?.writable === true ? kept : await open();
      const answered = readAnswer(socket, draft.method === "HEAD");
      for (const piece of draft.framing === "length" ? [sent] : pieces) {
        socket.write(piece);
        // So that the other side sees it alone.
        if (draft.framing !== "length") await new Promise(setImmediate);
      }
      if (draft.framing === "cut") socket.end();
      const { answer, reusable } = await answered.catch((error: Error) => {
        throw new Error(`${error.message}\n${told({ draft, sent, answer: null })}`);
      });
      if (reusable && !draft.alone) idle.push(socket);
      else socket.destroy();
      return { draft, sent, answer };
    },
    close() {
      for (const socket of idle) socket.destroy();
    },
  };
}

/** A request and its answer, for people. */
export function told({ draft, sent, answer }: Exchange): string {
  const short = (bytes: Buffer): string =>
    bytes.length > 4000 ? `${bytes.toString("utf8", 0, 4000)}... (${bytes.length} bytes)` : bytes.toString();
  const headers = answer?.headers.map(([name, value]) => `${name}: ${value}`).join("\n");
  const back = answer === null ? "no answer" : `${answer.status}\n${headers}\n\n${short(answer.body)}`;
  return `--- sent (${draft.family}, ${draft.framing})\n${short(sent)}\n--- came back\n${back}\n---`;
}

function bytesOf({ method, target, headers, body, framing }: Draft, known: Known): Buffer[] {
  const lines = [
    `${method} ${target(known)} HTTP/1.1`,
    ...headers.map(([name, value]) => `${name}: ${value}`),
  ];
  const announced = (body?.length ?? 0) + (framing === "cut" ? 1 : 0);
  if (framing === "chunked") lines.push("Transfer-Encoding: chunked");
  else if (body !== null) lines.push(`Content-Length: ${announced}`);
  const head = Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
  if (body === null) return [head];
  if (framing !== "chunked") return [head, body];
  const middle = Math.floor(body.length / 2);
  const chunks = [body.subarray(0, middle), body.subarray(middle)].filter(({ length }) => length > 0);
  const written = chunks.map((chunk) =>
    Buffer.concat([Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from("\r\n")]),
  );
  return [head, ...written, Buffer.from("0\r\n\r\n")];
}

/** Reads one answer (RFC 9112) behind any interim ones. */
function readAnswer(socket: Socket, isHead: boolean): Promise<{ answer: Answer | null; reusable: boolean }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ answer: Answer | null; reusable: boolean }>();
  let received = Buffer.alloc(0);
  const stop = (): void => {
    clearTimeout(timer);
    socket.off("data", read).off("close", closed);
  };
  const fail = (error: Error): void => {
    stop();
    reject(error);
  };
  const read = (chunk: Buffer): void => {
    received = Buffer.concat([received, chunk]);
    try {
      const parsed = parseAnswer(received, isHead);
      if (parsed === null) return;
      const { answer, length } = parsed;
      if (length < received.length) throw new Error(`more than one answer: ${received.toString("latin1")}`);
      stop();
      const ends = answer.headers.some(([name, value]) => name === "connection" && /close/i.test(value));
      resolve({ answer, reusable: !ends });
    } catch (error) {
      fail(error as Error);
    }
  };
  const closed = (): void => {
    if (received.length > 0) return fail(new Error(`cut short: ${received.toString("latin1")}`));
    stop();
    resolve({ answer: null, reusable: false });
  };
  const timer = setTimeout(() => fail(new Error(`no answer within ${WAIT_MS} ms`)), WAIT_MS);
  socket.on("data", read).on("close", closed);
  return promise;
}

/** Null while it is not whole. @throws Error for what is no HTTP/1.1 with a length */
function parseAnswer(bytes: Buffer, isHead: boolean): { answer: Answer; length: number } | null {
  const end = bytes.indexOf("\r\n\r\n");
  if (end === -1) return null;
  const [first = "", ...lines] = bytes.toString("latin1", 0, end).split("\r\n");
  const status = Number(/^HTTP\/1\.1 ([1-5][0-9]{2}) [\x20-\x7e]*$/.exec(first)?.[1]);
  if (Number.isNaN(status)) throw new Error(`not a status line: ${first}`);
  const headers = lines.map((line): [string, string] => {
    const [, name, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+): *(.*)$/.exec(line) ?? [];
    if (name === undefined || value === undefined) throw new Error(`not a header: ${line}`);
    return [name.toLowerCase(), value];
  });
  const start = end + 4;
  if (status < 200) {
    const rest = parseAnswer(bytes.subarray(start), isHead);
    return rest && { answer: rest.answer, length: start + rest.length };
  }
  if (headers.some(([name, value]) => name === "transfer-encoding" && value === "chunked")) {
    const whole = chunksIn(bytes, start);
    return whole && { answer: { status, headers, body: whole.body }, length: whole.end };
  }
  const [length, ...more] = headers.flatMap(([name, value]) =>
    name === "content-length" ? [Number(value)] : [],
  );
  // RFC 9110, section 8.6: an answer without a body names none.
  if (status === 204 && length === undefined)
    return { answer: { status, headers, body: EMPTY }, length: start };
  if (length === undefined || more.length > 0) throw new Error(`one Content-Length is due: ${lines.join()}`);
  const size = isHead || status === 304 ? 0 : length;
  if (bytes.length < start + size) return null;
  return { answer: { status, headers, body: bytes.subarray(start, start + size) }, length: start + size };
}

/** A body in chunks without trailers, from a place on; null while it is not whole. */
function chunksIn(bytes: Buffer, start: number): { body: Buffer; end: number } | null {
  const pieces: Buffer[] = [];
  for (let at = start; ;) {
    const line = bytes.indexOf("\r\n", at);
    if (line === -1) return null;
    const size = Number.parseInt(bytes.toString("latin1", at, line), 16);
    if (Number.isNaN(size)) throw new Error(`not a chunk: ${bytes.toString("latin1", at, line)}`);
    const end = line + 2 + size;
    if (bytes.length < end + 2) return null;
    if (size === 0) return { body: Buffer.concat(pieces), end: end + 2 };
    pieces.push(bytes.subarray(line + 2, end));
    at = end + 2;
  }
}
