import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { attemptSpanId, readTraceparent, rootSpanId, traceparent } from "../../src/lib/trace-context.ts";

const TRACE = "0195a3c2-7f4e-7a10-9c3b-2f6e8d1a4b5c";

suite("span ids", () => {
  test("are what the documentation says", () => {
    assert.equal(rootSpanId(TRACE), "9c3b2f6e8d1a4b5c");
    // printf %s 0195a3c2-7f4e-7a10-9c3b-2f6e8d1a4b5c/ticketing/7/1 | sha256sum
    assert.equal(attemptSpanId("ticketing", { traceId: TRACE, jobId: 7, no: 1 }), "5276b9b700155732");
  });

  test("differ by leg, job and attempt", () => {
    const ids = ["ticketing", "callback"].flatMap((leg) =>
      [1, 2].flatMap((jobId) => [1, 2].map((no) => attemptSpanId(leg, { traceId: TRACE, jobId, no }))),
    );
    assert.equal(new Set(ids).size, 8);
  });
});

suite("traceparent", () => {
  const [trace, span] = ["0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"];

  test("what is sent can be read", () => {
    const sent = traceparent(TRACE, rootSpanId(TRACE));
    assert.deepEqual(readTraceparent(sent), {
      traceId: TRACE.replaceAll("-", ""),
      spanId: rootSpanId(TRACE),
      flags: 1,
    });
  });

  test("a later version may say more", () => {
    for (const header of [`00-${trace}-${span}-00`, `cc-${trace}-${span}-00`, `cc-${trace}-${span}-00-more`])
      assert.deepEqual(readTraceparent(header), { traceId: trace, spanId: span, flags: 0 }, header);
  });

  test("what is not well-formed is not read", () => {
    const headers = [
      "",
      `00-${trace}-${span}`,
      `00-${trace}-${span}-01-more`,
      `cc-${trace}-${span}-01more`,
      `ff-${trace}-${span}-01`,
      `00-${trace.toUpperCase()}-${span}-01`,
      `00-${"0".repeat(32)}-${span}-01`,
      `00-${trace}-${"0".repeat(16)}-01`,
      ` 00-${trace}-${span}-01`,
      `00-${trace}-${span}-01\n`,
      `cc-${trace}-${span}-01-${"x".repeat(1_000)}`,
    ];
    for (const header of headers) assert.equal(readTraceparent(header), null, JSON.stringify(header));
  });
});
