const SIGNALS = ["SIGINT", "SIGTERM"] as const;
/** npm passes on a Ctrl-C that the terminal has already sent to everybody: that is one, not two. */
const SAME_REQUEST_MS = 500;

/**
 * Resolves at the first SIGINT or SIGTERM. From the second on they do what they do by default: end the process at
 * once, whatever it is at.
 */
export async function askedToStop(): Promise<NodeJS.Signals> {
  const signal = await new Promise<NodeJS.Signals>((resolve) => {
    for (const name of SIGNALS) process.on(name, resolve);
  });
  setTimeout(() => {
    for (const name of SIGNALS) process.removeAllListeners(name);
  }, SAME_REQUEST_MS).unref();
  return signal;
}
