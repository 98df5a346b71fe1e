import { parentPort, workerData } from "node:worker_threads";
import { type Answer, type Call, CLOSE, threadsNow, told } from "./in-thread.ts";
import { openStorage, type StorageOptions } from "./open.ts";

// The other side of in-thread.ts: runs each call on a storage of its own, and ends when told to close.

const storage = openStorage(workerData as StorageOptions);
const port = parentPort!;

function functionAt(path: readonly string[]): (...args: readonly unknown[]) => Promise<unknown> {
  const found = path.reduce<unknown>((at, name) => (at as Record<string, unknown>)[name], storage);
  return found as ReturnType<typeof functionAt>;
}

async function answer({ id, at, path, args }: Call): Promise<void> {
  const waitedMs = Math.max(0, threadsNow() - at);
  try {
    port.postMessage({ id, waitedMs, value: await functionAt(path)(...args) } satisfies Answer);
  } catch (error) {
    port.postMessage({ id, waitedMs, error: told(error) } satisfies Answer);
  }
}

port.on("message", (message: Call | typeof CLOSE) => {
  if (message !== CLOSE) void answer(message);
  else void storage.close().finally(() => port.close());
});
