import { parentPort } from "node:worker_threads";
import { type Call, CLOSE } from "../../src/storage/in-thread.ts";

// A thread that answers with the call's name, and ends by itself when asked to die.
parentPort!.on("message", (message: Call | typeof CLOSE) => {
  if (message === CLOSE) return parentPort!.close();
  const { id, path } = message;
  if (path[0] === "die") throw new Error("a defect");
  if (path[0] !== "wait") parentPort!.postMessage({ id, value: path[0] });
  return undefined;
});
