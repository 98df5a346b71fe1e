import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A span as it came over the wire; ids in hex, times in epoch milliseconds. */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Empty: it has none. */
  readonly parentId: string;
  readonly name: string;
  readonly kind: "internal" | "server" | "client";
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly events: readonly string[];
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly failed: boolean;
  /** Of the process that sent it. */
  readonly resource: Readonly<Record<string, unknown>>;
}

export interface Collector {
  readonly url: string;
  readonly spans: ReceivedSpan[];
  /** The bodies as they came. */
  readonly bodies: Buffer[];
  /** The headers of the latest request. */
  headers(): NodeJS.Dict<string | string[]>;
  close(): Promise<void>;
}

/** What takes traces by OTLP over HTTP: a real server on loopback. */
export async function startCollector(
  answer = (response: ServerResponse): unknown => response.writeHead(200).end(),
): Promise<Collector> {
  const spans: ReceivedSpan[] = [];
  const bodies: Buffer[] = [];
  let headers: NodeJS.Dict<string | string[]> = {};
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks);
      bodies.push(body);
      ({ headers } = request);
      if (request.url === "/v1/traces") spans.push(...spansOf(body));
      answer(response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    spans,
    bodies,
    headers: () => headers,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

type Value = bigint | Buffer;

/** The fields of a protobuf message by their numbers. */
function fieldsOf(message: Buffer): Map<number, Value[]> {
  const fields = new Map<number, Value[]>();
  let at = 0;
  const varint = (): bigint => {
    for (let value = 0n, shift = 0n; ; shift += 7n) {
      const byte = message.readUInt8(at);
      at += 1;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const bytes = (length: number): Buffer => {
    at += length;
    if (at > message.length) throw new RangeError("a field goes past the end of its message");
    return message.subarray(at - length, at);
  };
  const READERS: Readonly<Record<number, () => Value>> = {
    0: varint,
    1: () => bytes(8).readBigUInt64LE(),
    2: () => bytes(Number(varint())),
    5: () => BigInt(bytes(4).readUInt32LE()),
  };
  while (at < message.length) {
    const tag = Number(varint());
    const value = READERS[tag & 7]!();
    fields.set(tag >> 3, [...(fields.get(tag >> 3) ?? []), value]);
  }
  return fields;
}

const messages = (fields: Map<number, Value[]>, no: number) =>
  (fields.get(no) ?? []).map((value) => fieldsOf(value as Buffer));
const bytesOf = (fields: Map<number, Value[]>, no: number) =>
  (fields.get(no)?.[0] as Buffer | undefined) ?? Buffer.alloc(0);
const numberOf = (fields: Map<number, Value[]>, no: number) =>
  (fields.get(no)?.[0] as bigint | undefined) ?? 0n;
const hexOf = (fields: Map<number, Value[]>, no: number) => bytesOf(fields, no).toString("hex");
const textOf = (fields: Map<number, Value[]>, no: number) => bytesOf(fields, no).toString("utf8");

/** opentelemetry/proto/common/v1: KeyValue, AnyValue. */
function attributesOf(fields: Map<number, Value[]>, no: number): Record<string, unknown> {
  const valueOf = (any: Map<number, Value[]>): unknown => {
    if (any.has(1)) return textOf(any, 1);
    if (any.has(2)) return numberOf(any, 2) === 1n;
    if (any.has(3)) return Number(BigInt.asIntN(64, numberOf(any, 3)));
    const double = Buffer.alloc(8);
    double.writeBigUInt64LE(numberOf(any, 4));
    return double.readDoubleLE();
  };
  return Object.fromEntries(
    messages(fields, no).map((pair) => [textOf(pair, 1), valueOf(fieldsOf(bytesOf(pair, 2)))]),
  );
}

const KINDS = ["", "internal", "server", "client"] as const;
const ERROR = 2n;
const millis = (nanos: bigint): number => Number(nanos / 1_000n) / 1_000;

/** opentelemetry/proto/collector/trace/v1: ExportTraceServiceRequest. */
function spansOf(body: Buffer): ReceivedSpan[] {
  return messages(fieldsOf(body), 1).flatMap((resourceSpans) => {
    const resource = attributesOf(fieldsOf(bytesOf(resourceSpans, 1)), 1);
    return messages(resourceSpans, 2)
      .flatMap((scopeSpans) => messages(scopeSpans, 2))
      .map((span) => ({
        traceId: hexOf(span, 1),
        spanId: hexOf(span, 2),
        parentId: hexOf(span, 4),
        name: textOf(span, 5),
        kind: KINDS[Number(numberOf(span, 6))] as ReceivedSpan["kind"],
        startMs: millis(numberOf(span, 7)),
        endMs: millis(numberOf(span, 8)),
        attributes: attributesOf(span, 9),
        events: messages(span, 11).map((event) => textOf(event, 2)),
        links: messages(span, 13).map((link) => ({ traceId: hexOf(link, 1), spanId: hexOf(link, 2) })),
        failed: numberOf(fieldsOf(bytesOf(span, 15)), 3) === ERROR,
        resource,
      }));
  });
}
