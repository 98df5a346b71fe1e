import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { createMessageReader, headerOf } from "../../bench/load/http-message.ts";

const body = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes));
const message = fc.record({ body, chunkSize: fc.option(fc.integer({ min: 1, max: 9 })) });

/** Chunked by this size, or with its length. */
function written({ body: bytes, chunkSize }: { body: Buffer; chunkSize: number | null }): Buffer {
  const head = (header: string): Buffer =>
    Buffer.from(`POST /Path HTTP/1.1\r\nX-Id: One\r\n${header}\r\n\r\n`);
  if (chunkSize === null) return Buffer.concat([head(`Content-Length: ${bytes.length}`), bytes]);
  const parts = [head("Transfer-Encoding: chunked")];
  for (let at = 0; at < bytes.length; at += chunkSize) {
    const chunk = bytes.subarray(at, at + chunkSize);
    parts.push(Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from("\r\n"));
  }
  return Buffer.concat([...parts, Buffer.from("0\r\n\r\n")]);
}

suite("the bench's message reader", () => {
  test("messages come whole and in order, wherever the bytes are cut", () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 5 }), fc.integer({ min: 1, max: 50 }), (messages, step) => {
        const bytes = Buffer.concat(messages.map(written));
        const bodies: string[] = [];
        const read = createMessageReader((head, content) => {
          assert.equal(headerOf(head, "\r\nx-id:"), "one");
          bodies.push(content.toString("hex"));
        });
        for (let at = 0; at < bytes.length; at += step) read(bytes.subarray(at, at + step));
        assert.deepEqual(
          bodies,
          messages.map((one) => one.body.toString("hex")),
        );
      }),
    );
  });
});
