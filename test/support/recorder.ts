import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Recorded {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** What a recorder answers: a status, or a handler. */
export type Reply = number | ((response: ServerResponse, request: Recorded) => void);

export interface Recorder {
  readonly url: string;
  readonly requests: Recorded[];
  /** Answers in turn; the last one repeats. */
  answer(...replies: Reply[]): void;
  close(): Promise<void>;
}

/** A real HTTP server on loopback that keeps what it was sent. */
export async function startRecorder(...replies: Reply[]): Promise<Recorder> {
  let script = replies.length > 0 ? replies : [200];
  let turn = 0;
  const requests: Recorded[] = [];
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const recorded = {
        path: request.url ?? "",
        headers: request.headers,
        body: Buffer.concat(chunks).toString("utf8"),
      };
      requests.push(recorded);
      const reply = script[Math.min(turn, script.length - 1)]!;
      turn += 1;
      if (typeof reply === "number") response.writeHead(reply).end();
      else reply(response, recorded);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    answer(...next) {
      script = next;
      turn = 0;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A reply with a JSON body. */
export function json(status: number, body: unknown, headers: Record<string, string> = {}): Reply {
  return (response) =>
    response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
}
