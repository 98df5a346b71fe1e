import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { FromTargets, RecordedRequest, TargetUrls, ToTargets } from "./recording.ts";

/** The recording ticketing system and partners, in a process of their own. */
export interface Targets {
  readonly urls: TargetUrls;
  /** From now on they behave. */
  heal(): void;
  /** All that they were sent. */
  requests(): Promise<RecordedRequest[]>;
  kill(): void;
}

export async function startTargets(seed: number, faults: boolean): Promise<Targets> {
  const child: ChildProcess = fork(join(import.meta.dirname, "targets.ts"));
  const say = (message: ToTargets): void => void child.send(message);
  const hear = async (): Promise<FromTargets> => {
    const signal = AbortSignal.timeout(30_000);
    const [message] = (await once(child, "message", { signal })) as [FromTargets];
    return message;
  };
  say({ say: "start", seed, faults });
  const first = await hear();
  if (first.say !== "listening") throw new Error("the targets did not start");
  return {
    urls: first.urls,
    heal: () => say({ say: "heal" }),
    requests() {
      const requests: RecordedRequest[] = [];
      const { promise, resolve, reject } = Promise.withResolvers<RecordedRequest[]>();
      child.once("exit", () => reject(new Error("the targets' process has ended")));
      child.on("message", (message: FromTargets) => {
        if (message.say !== "requests") return;
        requests.push(...message.requests);
        if (message.last) resolve(requests);
      });
      say({ say: "tell" });
      return promise;
    },
    kill: () => void child.kill("SIGKILL"),
  };
}
