import { Client, type Dispatcher } from "undici";

/** The one side that is called, or the other. */
export interface Target {
  /** Posts as soon as a connection is free, and calls back with what a 2xx says; anything else ends the process. */
  post(path: string, headers: Record<string, string>, body: string, done: Done): void;
}
type Done = (code: number, answer: string) => void;

/** One Client for each request in flight, as the product has it: undici's own Pool is slower by a tenth. */
export function createTarget(origin: string, connections: number): Target {
  const idle: Client[] = [];
  const line: ((client: Client) => void)[] = [];
  let open = 0;
  function release(client: Client): void {
    const next = line.shift();
    if (next === undefined) idle.push(client);
    else next(client);
  }
  return {
    post(path, headers, body, done) {
      const use = (client: Client): void => {
        const handler = collect((code, answer) => {
          release(client);
          done(code, answer);
        });
        client.dispatch({ path, method: "POST", headers, body }, handler);
      };
      const free = idle.pop();
      if (free !== undefined) use(free);
      else if (open === connections) line.push(use);
      else {
        open += 1;
        use(new Client(origin, { pipelining: 1, headersTimeout: 0, bodyTimeout: 0, allowH2: false }));
      }
    },
  };
}

function collect(done: Done): Dispatcher.DispatchHandler {
  let code = 0;
  let answer = "";
  return {
    onRequestStart() {},
    onResponseStart(_controller, statusCode) {
      code = statusCode;
    },
    onResponseData(_controller, chunk) {
      answer += chunk.toString("utf8");
    },
    onResponseEnd() {
      if (code < 200 || code > 299) giveUp(`answered ${code}`);
      done(code, answer);
    },
    onResponseError: (_controller, error) => giveUp(error),
  };
}

/** Not thrown: undici would take it for an error of the connection. */
function giveUp(reason: unknown): never {
  console.error(reason);
  process.exit(1);
}
