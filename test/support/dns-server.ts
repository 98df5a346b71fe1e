import { type Socket, createSocket } from "node:dgram";
import { once } from "node:events";
import { isIPv4 } from "node:net";

type Failure = "hang" | "servfail" | "nxdomain";

/** What the server says of a name: addresses of both families, one failure, or a failure for a single family. */
export type DnsRecord =
  | readonly string[]
  | Failure
  | { a: readonly string[] | Failure; aaaa: readonly string[] | Failure };

export interface DnsServer {
  /** `127.0.0.1:port`, for a resolver's `servers`. */
  readonly address: string;
  /** Every question asked so far, as `A name` or `AAAA name`. */
  readonly questions: readonly string[];
  close(): Promise<void>;
}

const A = 1;
const AAAA = 28;

/** A name server on loopback that answers A and AAAA questions by a table; a name it lacks is NXDOMAIN. */
export async function startDnsServer(records: Readonly<Record<string, DnsRecord>>): Promise<DnsServer> {
  const questions: string[] = [];
  const socket = createSocket("udp4", (message, peer) => {
    const { name, type, end } = readQuestion(message);
    questions.push(`${type === A ? "A" : "AAAA"} ${name}`);
    const reply = answer(message, end, type, records[name] ?? "nxdomain");
    if (reply !== null) socket.send(reply, peer.port, peer.address);
  });
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return { address: `127.0.0.1:${socket.address().port}`, questions, close: () => close(socket) };
}

async function close(socket: Socket): Promise<void> {
  const closed = once(socket, "close");
  socket.close();
  await closed;
}

function readQuestion(message: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString("latin1", at + 1, at + 1 + length));
    at += length + 1;
  }
  return { name: labels.join(".").toLowerCase(), type: message.readUInt16BE(at + 1), end: at + 5 };
}

/** RFC 1035 section 4: the question repeated, and one answer per address, each pointing back at the question's name. */
function answer(message: Buffer, questionEnd: number, type: number, record: DnsRecord): Buffer | null {
  const perFamily =
    typeof record === "object" && "a" in record ? (type === A ? record.a : record.aaaa) : record;
  if (perFamily === "hang") return null;
  const rcode = perFamily === "servfail" ? 2 : perFamily === "nxdomain" ? 3 : 0;
  const addresses =
    typeof perFamily === "string" ? [] : perFamily.filter((one) => isIPv4(one) === (type === A));
  const header = Buffer.alloc(12);
  message.copy(header, 0, 0, 2);
  header.writeUInt16BE(0x8180 | rcode, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(addresses.length, 6);
  return Buffer.concat([header, message.subarray(12, questionEnd), ...addresses.map(resourceRecord)]);
}

function resourceRecord(address: string): Buffer {
  const data = isIPv4(address) ? Buffer.from(address.split(".").map(Number)) : ipv6Bytes(address);
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(isIPv4(address) ? A : AAAA, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(60, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

function ipv6Bytes(address: string): Buffer {
  const [left = "", right] = address.split("::");
  const groups = (text: string) =>
    text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16));
  const head = groups(left);
  const tail = right === undefined ? [] : groups(right);
  const bytes = Buffer.alloc(16);
  const all = [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => 0), ...tail];
  for (const [index, group] of all.entries()) bytes.writeUInt16BE(group, index * 2);
  return bytes;
}
