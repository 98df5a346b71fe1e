// As much of HTTP/1.1 (RFC 9112) as both ends of a benchmark need, so that the load takes little of the cores it measures.

const EMPTY = Buffer.alloc(0);
const END_OF_HEAD = Buffer.from("\r\n\r\n");
const END_OF_LINE = Buffer.from("\r\n");

/**
 * Cuts a connection's bytes into messages, requests or answers. The head comes in lower case, so that a header is found
 * by its plain name; a body is framed by Content-Length or chunked, and empty without either.
 */
export function createMessageReader(
  onMessage: (head: string, body: Buffer) => void,
): (chunk: Buffer) => void {
  let rest: Buffer = EMPTY;
  return (chunk) => {
    let data = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (;;) {
      const headEnd = data.indexOf(END_OF_HEAD);
      if (headEnd === -1) break;
      const head = data.toString("latin1", 0, headEnd).toLowerCase();
      const body = readBody(head, data, headEnd + END_OF_HEAD.length);
      if (body === null) break;
      data = data.subarray(body.end);
      onMessage(head, body.bytes);
    }
    rest = data;
  };
}

/** A header's value, or null. @param name as `"\r\nname:"`, so that no text is built for it */
export function headerOf(head: string, name: `\r\n${string}:`): string | null {
  const at = head.indexOf(name);
  if (at === -1) return null;
  const from = at + name.length;
  const to = head.indexOf("\r\n", from);
  return head.slice(from, to === -1 ? undefined : to).trim();
}

interface Body {
  readonly bytes: Buffer;
  /** Where the next message begins. */
  readonly end: number;
}

function readBody(head: string, data: Buffer, from: number): Body | null {
  if (headerOf(head, "\r\ntransfer-encoding:") === "chunked") return readChunks(data, from);
  const end = from + Number(headerOf(head, "\r\ncontent-length:") ?? 0);
  return end > data.length ? null : { bytes: data.subarray(from, end), end };
}

function readChunks(data: Buffer, from: number): Body | null {
  const parts: Buffer[] = [];
  for (let at = from; ;) {
    const lineEnd = data.indexOf(END_OF_LINE, at);
    if (lineEnd === -1) return null;
    const size = Number.parseInt(data.toString("latin1", at, lineEnd), 16);
    const begin = lineEnd + END_OF_LINE.length;
    const end = begin + size + END_OF_LINE.length;
    if (end > data.length) return null;
    if (size === 0) return { bytes: Buffer.concat(parts), end };
    parts.push(data.subarray(begin, begin + size));
    at = end;
  }
}
