import type { Server } from "node:net";
import { setImmediate as turn } from "node:timers/promises";

/** As many as the kernel keeps for us, unless it is told otherwise. */
const MOST_TURNS = 511;
/** The first may end before it has looked for any. */
const QUIET_TURNS = 3;

/**
 * Takes in the connections that clients have made and we haven't yet: closing a server resets them, and their requests
 * would have no answer. Ends once a turn of the event loop brings none; where they never end, after as many as there
 * can have been at first.
 */
export async function takeBacklog(server: Pick<Server, "on" | "off">): Promise<void> {
  let quiet = 0;
  const onConnection = (): void => {
    quiet = 0;
  };
  server.on("connection", onConnection);
  for (let turns = 0; quiet < QUIET_TURNS && turns < MOST_TURNS; turns += 1) {
    quiet += 1;
    await turn();
  }
  server.off("connection", onConnection);
}
