// The load: sender, ticketing and partner at once, in a process of its own that the bench calls by messages.
import { createLedger, type Orders } from "./ledger.ts";
import { createSender, type Pace, type Sender } from "./sender.ts";
import { setTimeout as sleep } from "node:timers/promises";
import { SIGNING_SECRET, TOKEN } from "./secrets.ts";
import { AT_ONCE, serveTargets, type TicketingManner } from "./targets.ts";

/** All that the load knows: what it has sent, and what it was told to expect. */
export interface Ledgers {
  readonly sent: Orders;
  readonly seeded: Orders;
  /** What must never happen; the first ten. */
  readonly problems: readonly string[];
}

export interface Delivered {
  readonly sent: number;
  readonly seeded: number;
}

const MAX_PROBLEMS = 10;
const LOOK_EVERY_MS = 20;

const ledgers = { b: createLedger(), s: createLedger() };
const problems: string[] = [];
const delivered = { b: 0, s: 0 };
let manner = AT_ONCE;
let sender: Sender | null = null;
let targetsUrl = "";

const isComplete = (): boolean =>
  sender?.unanswered() === 0 && delivered.b >= ledgers.b.accepted() && delivered.s >= ledgers.s.accepted();

const calls = {
  /** Opens the targets. @returns their URL */
  async listen(ticketing: TicketingManner): Promise<string> {
    manner = ticketing;
    targetsUrl = await serveTargets({
      signingSecret: SIGNING_SECRET,
      ledgers,
      manner: () => manner,
      onDelivered(prefix) {
        delivered[prefix as keyof typeof delivered] += 1;
        if (prefix === "b") sender?.delivered();
      },
      onProblem: (problem) => problems.length < MAX_PROBLEMS && problems.push(problem),
    });
    return targetsUrl;
  },
  /** Names the contender; again after it was started anew. */
  target(url: string): void {
    sender?.close();
    sender = createSender({ url, callbackUrl: `${targetsUrl}/partner`, token: TOKEN, ledger: ledgers.b });
  },
  expect: (count: number): void => ledgers.s.expect(count),
  start: (pace: Pace): void => sender!.start(pace),
  stop: (): void => sender!.stop(),
  /** Waits until every accepted order has been delivered, or none has been for so long. */
  async drain(patienceMs: number): Promise<void> {
    let seen = -1;
    let since = performance.now();
    while (!isComplete()) {
      if (seen !== delivered.b + delivered.s) {
        seen = delivered.b + delivered.s;
        since = performance.now();
      } else if (performance.now() - since > patienceMs) return;
      await sleep(LOOK_EVERY_MS);
    }
  },
  /** How many orders have been delivered so far. */
  delivered: (): Delivered => ({ sent: delivered.b, seeded: delivered.s }),
  ledgers(): Ledgers {
    const confused = [...ledgers.b.confused].slice(0, MAX_PROBLEMS);
    const confusions = confused.map((n) => `b-${n}: its trace id is not the same everywhere`);
    return {
      sent: filled(ledgers.b.orders),
      seeded: filled(ledgers.s.orders),
      problems: [...problems, ...confusions].slice(0, MAX_PROBLEMS),
    };
  },
};

function filled(orders: Orders): Orders {
  const { count, ...columns } = orders;
  const cut = Object.entries(columns).map(([name, column]) => [name, column.slice(0, count)]);
  return { count, ...Object.fromEntries(cut) } as Orders;
}

export type LoadCalls = typeof calls;
export interface LoadCall {
  readonly id: number;
  readonly name: keyof LoadCalls;
  readonly argument: unknown;
}
export interface LoadAnswer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

process.on("message", ({ id, name, argument }: LoadCall) => {
  const call = calls[name] as (argument: unknown) => unknown;
  Promise.try(call, argument).then(
    (result) => process.send!({ id, result } satisfies LoadAnswer),
    (error: unknown) => process.send!({ id, error: String(error) } satisfies LoadAnswer),
  );
});
// Ctrl-C reaches the whole group: the bench ends this process when it ends itself.
process.on("SIGINT", () => {});
process.on("disconnect", () => process.exit());
