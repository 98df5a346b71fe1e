import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Leg } from "../src/orders/states.ts";
import { type Conduct, conductOf, WELL_BEHAVED } from "./behaviour.ts";
import type { FromTargets, RecordedRequest, ToTargets } from "./recording.ts";
import { PARTNERS } from "./settings.ts";

// A process of its own: a ticketing system and several partners that misbehave as planned and record every
// request. It ends with the runner.

const requests: RecordedRequest[] = [];
const seen = new Map<string, number>();
let seed = 0;
let misbehaving = false;
const PART = 500;

function tell(message: FromTargets): void {
  process.send!(message);
}

async function listen(leg: Leg): Promise<string> {
  const server = createServer((request, response) => receive(leg, request, response));
  server.keepAliveTimeout = 60_000;
  server.on("clientError", (_error, socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function receive(leg: Leg, request: IncomingMessage, response: ServerResponse): void {
  const { headers } = request;
  const order = String(headers["x-external-order-id"]);
  const nth = seen.get(`${leg} ${order}`) ?? 0;
  seen.set(`${leg} ${order}`, nth + 1);
  const conduct = misbehaving ? conductOf(seed, leg, order, nth) : WELL_BEHAVED;
  const record: RecordedRequest = {
    no: requests.length + 1,
    leg,
    path: request.url ?? "",
    headers,
    traceId: String(headers["x-trace-id"]),
    body: "",
    behaviour: conduct.behaviour,
    startedAt: Date.now(),
    status: null,
    answeredAt: null,
    whole: false,
    closedAt: null,
  };
  requests.push(record);
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("error", () => {});
  response.on("error", () => {});
  response.on("finish", () => (record.whole = record.answeredAt !== null));
  response.on("close", () => (record.closedAt ??= Date.now()));
  request.on("end", () => {
    record.body = Buffer.concat(chunks).toString("utf8");
    if (conduct.behaviour === "never") return;
    setTimeout(() => {
      if (!response.destroyed) act(conduct, record, response);
    }, conduct.afterMs);
  });
}

function act({ behaviour }: Conduct, record: RecordedRequest, response: ServerResponse): void {
  const named = `request-${record.no}`;
  const answer = (status: number, body: string, headers: Record<string, string> = {}): void => {
    record.status = status;
    record.answeredAt = Date.now();
    response.writeHead(status, headers).end(body);
  };
  const json = JSON.stringify({ reference: named, tickets: [`T-${record.no}`] });
  switch (behaviour) {
    case "ok":
    case "slow":
    case "late":
      return answer(200, json, { "content-type": "application/json" });
    case "no JSON":
      return answer(200, `<p>${named}</p>`);
    case "500":
      return answer(500, named);
    case "302":
      return answer(302, named, { location: "http://127.0.0.1:9/elsewhere" });
    case "503":
    case "429":
      return answer(Number(behaviour), named, { "retry-after": "1" });
    case "garbage":
      response.socket?.end("\u0000\u0001 this is no HTTP\r\n\r\n");
      return;
    case "reset":
      response.socket?.resetAndDestroy();
      return;
    case "half":
    case "half, then silence":
      record.status = 200;
      response.writeHead(200, { "content-length": "1000" });
      response.write(named);
      if (behaviour === "half") setTimeout(() => response.destroy(), 30);
      return;
    case "never":
  }
}

async function start(message: Extract<ToTargets, { say: "start" }>): Promise<void> {
  ({ seed, faults: misbehaving } = message);
  const partners: Record<string, string> = {};
  for (const { id } of PARTNERS) partners[id] = await listen("callback");
  tell({ say: "listening", urls: { ticketing: await listen("ticketing"), partners } });
}

process.on("message", (message: ToTargets) => {
  if (message.say === "start") {
    void start(message);
  } else if (message.say === "heal") {
    misbehaving = false;
  } else {
    for (let from = 0; from === 0 || from < requests.length; from += PART) {
      const last = from + PART >= requests.length;
      tell({ say: "requests", requests: requests.slice(from, from + PART), last });
    }
  }
});
process.on("disconnect", () => process.exit());
// The runner ends it; a Ctrl-C on the terminal is the runner's.
process.on("SIGINT", () => {});
