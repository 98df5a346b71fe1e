import { fork } from "node:child_process";
import { once } from "node:events";
import type { LoadAnswer, LoadCall, LoadCalls } from "./process.ts";
import type { TicketingManner } from "./targets.ts";

type Remote<T> = {
  [K in keyof T]: T[K] extends (...parameters: infer P) => infer R
    ? (...parameters: P) => Promise<Awaited<R>>
    : never;
};

/** The load process, as the bench sees it. */
export interface Load extends Remote<Omit<LoadCalls, "listen">> {
  /** Where ticketing and the partner are. */
  readonly targetsUrl: string;
  close(): Promise<void>;
}

export async function startLoad(ticketing: TicketingManner): Promise<Load> {
  const child = fork(new URL("./process.ts", import.meta.url), { serialization: "advanced", execArgv: [] });
  const pending = new Map<number, PromiseWithResolvers<unknown>>();
  let ids = 0;
  child.on("message", (message) => {
    const { id, result, error } = message as LoadAnswer;
    const call = pending.get(id);
    pending.delete(id);
    if (error === undefined) call?.resolve(result);
    else call?.reject(new Error(error));
  });
  child.on("exit", () => {
    for (const call of pending.values()) call.reject(new Error("the load process has ended"));
    pending.clear();
  });

  const call = (name: keyof LoadCalls, argument: unknown): Promise<unknown> => {
    const id = (ids += 1);
    const answer = Promise.withResolvers<unknown>();
    pending.set(id, answer);
    child.send({ id, name, argument } satisfies LoadCall);
    return answer.promise;
  };
  const targetsUrl = (await call("listen", ticketing)) as string;
  const close = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.disconnect();
    await once(child, "exit");
  };
  return new Proxy({ targetsUrl, close } as Load, {
    get: (own, name) =>
      name in own || name === "then"
        ? Reflect.get(own, name)
        : (argument: unknown) => call(name as keyof LoadCalls, argument),
  });
}
