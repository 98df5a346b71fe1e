import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

/** What befalls the COMMITs that pass: nothing; the connection breaks before the server has it; or after it has done it. */
export type Fate = "pass" | "lost on the way" | "answer lost";

export interface CommitProxy {
  readonly url: string;
  /** Befalls the next COMMIT alone. */
  fate: Fate;
  close(): Promise<void>;
}

const COMMIT = Buffer.from("commit\0");
/** The server's answer to it, behind those to what came in the same packet. */
const DONE = Buffer.from("COMMIT\0");

/** Stands between a gateway and its PostgreSQL server and breaks connections at the worst moment. */
export async function startCommitProxy(target: string): Promise<CommitProxy> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    let deaf = false;
    client.on("data", (data) => {
      const isCommit = proxy.fate !== "pass" && data.includes(COMMIT);
      if (isCommit && proxy.fate === "lost on the way") {
        proxy.fate = "pass";
        client.destroy();
        return;
      }
      if (isCommit) {
        proxy.fate = "pass";
        deaf = true;
      }
      upstream.write(data);
    });
    upstream.on("data", (data) => {
      if (!deaf) client.write(data);
      else if (data.includes(DONE)) client.destroy();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = new URL(target);
  url.port = String((server.address() as AddressInfo).port);
  url.hostname = "127.0.0.1";
  const proxy: CommitProxy = {
    url: url.href,
    fate: "pass",
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return proxy;
}
