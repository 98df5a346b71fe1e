import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "../lib/clock.ts";
import type { Log } from "../observe/log.ts";
import type { Changes } from "../storage/changes.ts";
import type { Circuits } from "../storage/circuits.ts";
import type { ReadHold } from "../storage/hold.ts";
import { type OrderLook, watchOrders } from "./order-watch.ts";
import { passes } from "./persistently.ts";

export interface LiveOptions {
  readonly changes: Changes;
  readonly readHold: ReadHold;
  readonly circuits: { readonly ticketing: Pick<Circuits, "listOpen"> };
  readonly clock: Clock;
  readonly log: Log;
  readonly pollMs?: number | undefined;
}

export interface LiveLook extends OrderLook {
  readonly kind: "look";
  /** Epoch milliseconds. */
  readonly at: number;
  /** Somebody holds the gateway: nothing is worked. */
  readonly held: boolean;
  /** Ticketing fails for every order: its circuit holds them back. */
  readonly ticketingFails: boolean;
}

export type LiveEvent =
  | LiveLook
  /** The database can't be read, or hasn't answered for long; it is tried again. */
  | { readonly kind: "trouble"; readonly at: number }
  /** Nothing more is told. */
  | { readonly kind: "closing" };

type Hear = (event: LiveEvent) => void;

/** What happens to orders, for whoever looks on: one look at the database for all, and none while nobody does. */
export interface Live {
  /**
   * Tells of a look at once (an empty one: what changes from then on is told), then of each, until the signal is aborted.
   * Once closed it tells of that alone.
   */
  listen(hear: Hear, over: AbortSignal): void;
  close(): void;
}

const POLL_MS = 1000;
/** A look that takes longer is told of as trouble. */
const LATE_MS = 5000;
/** Orders that one look names; of more, the newest. */
const MAX_NAMED = 200;

export function createLive({ changes, readHold, circuits, clock, log, pollMs = POLL_MS }: LiveOptions): Live {
  const listeners = new Set<Hear>();
  let last: LiveLook | null = null;
  let rounds: AbortController | null = null;
  let closed = false;

  function tell(event: LiveEvent): void {
    for (const hear of listeners) hear(event);
  }

  async function lookWith(look: () => Promise<OrderLook>): Promise<LiveLook> {
    const at = clock.wallMs();
    const [hold, open] = [await readHold(), await circuits.ticketing.listOpen()];
    const { orders, more } = await look();
    const named = orders.slice(-MAX_NAMED);
    return {
      kind: "look",
      at,
      orders: named,
      more: more || named.length < orders.length,
      held: hold !== null,
      ticketingFails: open.length > 0,
    };
  }

  /** One round after the other, until nobody listens any more: who comes later begins anew. */
  async function run({ signal }: AbortController): Promise<void> {
    let look: (() => Promise<OrderLook>) | null = null;
    let isAway = false;
    while (!signal.aborted) {
      const late = setInterval(() => tell({ kind: "trouble", at: clock.wallMs() }), LATE_MS);
      try {
        look ??= await watchOrders({ changes, clock });
        const seen = await lookWith(look);
        if (signal.aborted) return;
        last = seen;
        isAway = false;
        tell(last);
      } catch (error) {
        if (signal.aborted) return;
        // Once, and not again with every round.
        if (!isAway) log[passes(error) ? "warn" : "error"]({ event: "live.look_failed", err: error });
        isAway = true;
        last = null;
        tell({ kind: "trouble", at: clock.wallMs() });
      } finally {
        clearInterval(late);
      }
      await sleep(pollMs, undefined, { signal }).catch(() => {});
    }
  }

  function stop(): void {
    rounds?.abort();
    rounds = null;
    last = null;
  }

  return {
    listen(hear, over) {
      if (closed) return hear({ kind: "closing" });
      listeners.add(hear);
      over.addEventListener("abort", () => {
        listeners.delete(hear);
        if (listeners.size === 0) stop();
      });
      // Otherwise it hears of the first look that succeeds.
      if (last !== null) hear({ ...last, orders: [], more: false });
      if (rounds === null) void run((rounds = new AbortController()));
    },
    close() {
      closed = true;
      stop();
      tell({ kind: "closing" });
      listeners.clear();
    },
  };
}
