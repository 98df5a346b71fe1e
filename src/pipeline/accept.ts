import type { Clock } from "../lib/clock.ts";
import { combine } from "../lib/combiner.ts";
import { uuidV7 } from "../lib/ids.ts";
import type { ParsedJson } from "../lib/strict-json.ts";
import type { Log } from "../observe/log.ts";
import type { WorkEvent } from "../observe/work-events.ts";
import { fingerprint } from "../orders/fingerprint.ts";
import type { OrderInput } from "../orders/order-input.ts";
import type { AddressGuard } from "../outbound/address-guard.ts";
import { type CallbackPolicy, checkCallbackUrl } from "../outbound/callback-url.ts";
import { CommitUnknown, type Database, RowLocked } from "../storage/database.ts";
import type { Acceptance, AcceptedOrder, NewOrder, OrderIntake } from "../storage/orders.ts";
import type { Worker } from "./worker.ts";

/** An order that came through the door: the partner is known, the body is valid. */
export interface IncomingOrder {
  readonly partner: {
    readonly id: string;
    readonly callbackHosts: readonly string[] | null;
    readonly rejectRepeats: boolean;
  };
  readonly idempotencyKey: string | null;
  readonly input: OrderInput;
  /** The body as received, and taken apart. */
  readonly rawPayload: string;
  readonly payload: ParsedJson;
}

export type AcceptResult =
  | Acceptance
  /** `callback_url` may not be called; the reason is a clause. */
  | { readonly kind: "callback_refused"; readonly reason: string }
  /** Another request with this key has not been decided for too long. */
  | { readonly kind: "undecided" };

export interface AcceptOptions {
  readonly database: Database;
  readonly intake: OrderIntake;
  readonly guard: AddressGuard;
  readonly policy: CallbackPolicy;
  readonly clock: Clock;
  readonly log: Log;
  /** Sets slots aside for the ticketing jobs of orders that are about to be written. */
  reserve: Worker["reserve"];
  /** Orders were committed whose ticketing jobs wait to be claimed. */
  onAccepted(): void;
}

/** Orders of one transaction at most, and orders that may wait for one. */
const MAX_BATCH = 100;
const MAX_QUEUE = 10_000;

/**
 * The first step of the order's way: order, items, ticketing job and idempotency key in one transaction, shared
 * by what arrives at the same time. When it resolves with `accepted` or `replayed`, the order is durable.
 *
 * Rejects with `DatabaseUnavailable` or `Overloaded`: nothing is promised, the partner should come again.
 */
export function createAccept(options: AcceptOptions): (order: IncomingOrder) => Promise<AcceptResult> {
  const { database, intake, guard, policy, clock, log, reserve, onAccepted } = options;
  const write = combine<Arrival, Acceptance>({
    run: (arrivals) => acceptBatch(intake, reserve, arrivals, clock),
    maxBatch: MAX_BATCH,
    maxQueue: MAX_QUEUE,
    concurrency: database.batchesAtOnce,
    isItemFault: (error) => database.isDataFault(error),
  });

  async function refuseCallback(order: IncomingOrder): Promise<string | null> {
    const check = checkCallbackUrl(order.input.callback_url, policy, order.partner.callbackHosts);
    if (!check.ok) return check.reason;
    const verdict = await guard.checkAtAcceptance(check.url);
    return verdict.kind === "refused" ? verdict.reason : null;
  }

  return async (order) => {
    const startedAt = clock.monotonicMs();
    const { partner, idempotencyKey, input } = order;
    const key =
      idempotencyKey === null
        ? null
        : { value: idempotencyKey, fingerprint: fingerprint(order.payload.value) };
    const reason = await refuseCallback(order);
    if (reason !== null) {
      // The key comes before the URL: a repeat gets its first answer, although the name may be gone by now.
      const first = key && (await intake.findByKey(partner.id, key.value, key.fingerprint));
      return first ?? { kind: "callback_refused", reason };
    }
    try {
      const fresh = {
        partnerId: partner.id,
        externalOrderId: input.external_order_id,
        traceId: uuidV7(clock.wallMs()),
        callbackUrl: input.callback_url,
        rawPayload: order.rawPayload,
        items: input.items,
        key,
        rejectRepeats: partner.rejectRepeats,
      };
      const checkedAt = clock.monotonicMs();
      const result = await write({ order: fresh, payload: order.payload });
      if (result.kind === "accepted") {
        if (result.job === null) onAccepted();
        log.info(acceptedEvent(result.order, { startedAt, checkedAt, endedAt: clock.monotonicMs() }));
      }
      return result;
    } catch (error) {
      if (error instanceof RowLocked) return { kind: "undecided" };
      throw error;
    }
  };
}

/** An order to be written, and what the attempt that begins with it need not take apart again. */
interface Arrival {
  readonly order: NewOrder;
  readonly payload: ParsedJson;
}

async function acceptBatch(
  intake: OrderIntake,
  reserve: Worker["reserve"],
  arrivals: readonly Arrival[],
  clock: Clock,
): Promise<Acceptance[]> {
  const orders = arrivals.map(({ order }) => order);
  const slots = reserve(orders.map(({ partnerId }) => partnerId));
  try {
    const claimed = orders.map((order, index) => ({ ...order, claim: slots.claims[index]! }));
    const results = await intake.accept(claimed, clock.statementNow());
    slots.begin(
      results.flatMap((result, index) => {
        const begins = result.kind === "accepted" && result.job !== null;
        return begins ? [{ ...result.job, payload: arrivals[index]!.payload }] : [];
      }),
    );
    return results;
  } catch (error) {
    slots.cancel(error);
    if (!(error instanceof CommitUnknown)) throw error;
    const written = await intake.findByTraceIds(orders.map((order) => order.traceId));
    if (written.size === 0) throw error;
    // A batch is written whole or not at all: the others lost, and are told to what when they come again.
    const others = orders.filter((order) => !written.has(order.traceId));
    const told = others.length === 0 ? [] : await intake.accept(others, clock.statementNow());
    return orders.map((order) => {
      const accepted = written.get(order.traceId);
      return accepted ? { kind: "accepted", order: accepted, job: null } : told[others.indexOf(order)]!;
    });
  }
}

function acceptedEvent(
  order: AcceptedOrder,
  { startedAt, checkedAt, endedAt }: Record<"startedAt" | "checkedAt" | "endedAt", number>,
): WorkEvent {
  return {
    event: "order.accepted",
    trace_id: order.traceId,
    order_id: order.id,
    partner_id: order.partnerId,
    external_order_id: order.externalOrderId,
    duration_ms: Math.round(endedAt - startedAt),
    commit_ms: Math.round(endedAt - checkedAt),
  };
}
