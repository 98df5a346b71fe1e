import { crc32, deflateSync, inflateSync } from "node:zlib";

const SIGNATURE_BYTES = 8;
/** Length and type before a chunk's data, the checksum after. */
const HEAD_BYTES = 8;
const TAIL_BYTES = 4;

/** The same picture, packed as well as zlib can; browsers are in a hurry when they make one. */
export function smallerPng(png: Buffer): Buffer {
  const chunks: { type: string; data: Buffer }[] = [];
  for (let at = SIGNATURE_BYTES; at < png.length;) {
    const bytes = png.readUInt32BE(at);
    const from = at + HEAD_BYTES;
    chunks.push({
      type: png.toString("latin1", at + 4, from),
      data: png.subarray(from, from + bytes),
    });
    at = from + bytes + TAIL_BYTES;
  }
  const rows = inflateSync(Buffer.concat(chunks.filter(isPicture).map(({ data }) => data)));
  const packed = { type: "IDAT", data: deflateSync(rows, { level: 9, memLevel: 9 }) };
  const first = chunks.findIndex(isPicture);
  const others = (from: number, to?: number) => chunks.slice(from, to).filter((chunk) => !isPicture(chunk));
  const all = [...others(0, first), packed, ...others(first)];
  const smaller = Buffer.concat([
    png.subarray(0, SIGNATURE_BYTES),
    ...all.map(({ type, data }) => chunkOf(type, data)),
  ]);
  return smaller.length < png.length ? smaller : png;
}

const isPicture = ({ type }: { readonly type: string }): boolean => type === "IDAT";

function chunkOf(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const [length, checksum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  checksum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, checksum]);
}
