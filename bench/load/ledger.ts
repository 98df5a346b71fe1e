/** What is known of each order, by its number: times in milliseconds of {@link nowMs}, 0 where it never came to it. */
export interface Orders {
  readonly count: number;
  /** When it was to be sent, and when it was: the same in a closed loop. */
  readonly scheduledAt: Float64Array;
  readonly sentAt: Float64Array;
  readonly answeredAt: Float64Array;
  /** Of the answer; 1 where the connection broke. */
  readonly status: Uint16Array;
  /** When its first callback had been received. */
  readonly deliveredAt: Float64Array;
  /** Tickets given, and callbacks received. */
  readonly ticketed: Uint8Array;
  readonly callbacks: Uint8Array;
}

/** Orders go by `<prefix>-<number>`; each kind has a ledger of its own. */
export interface Ledger {
  readonly orders: Orders;
  /** Orders that were answered 201 so far. */
  accepted(): number;
  /** Numbers the next order. */
  schedule(atMs: number): number;
  /** Expects this many orders that others have sent. */
  expect(count: number): void;
  sent(n: number, atMs: number): void;
  answered(n: number, status: number, traceId: string, atMs: number): void;
  gotTicketing(n: number, traceId: string, gaveTickets: boolean): void;
  /** @returns true when it is the order's first */
  gotCallback(n: number, traceId: string, atMs: number): boolean;
  /** Orders that somebody has told another trace id of. */
  readonly confused: readonly number[];
}

const MAX_COUNT = 255;

export function createLedger(): Ledger {
  const floats = (): Float64Array => new Float64Array(1 << 14);
  const bytes = (): Uint8Array => new Uint8Array(1 << 14);
  const orders = {
    count: 0,
    scheduledAt: floats(),
    sentAt: floats(),
    answeredAt: floats(),
    status: new Uint16Array(1 << 14),
    deliveredAt: floats(),
    ticketed: bytes(),
    callbacks: bytes(),
  };
  let traces = new Uint32Array(1 << 14);
  const confused: number[] = [];
  let accepted = 0;

  function grow(to: number): void {
    if (to <= traces.length) return;
    const length = Math.max(to, traces.length * 2);
    traces = copied(traces, new Uint32Array(length));
    orders.status = copied(orders.status, new Uint16Array(length));
    for (const name of ["scheduledAt", "sentAt", "answeredAt", "deliveredAt"] as const)
      orders[name] = copied(orders[name], new Float64Array(length));
    for (const name of ["ticketed", "callbacks"] as const)
      orders[name] = copied(orders[name], new Uint8Array(length));
  }

  /** The last 32 bits stand for the whole: they are random. */
  function note(n: number, traceId: string): void {
    const mark = Number.parseInt(traceId.slice(-8), 16) || 1;
    if (traces[n] === 0) traces[n] = mark;
    else if (traces[n] !== mark) confused.push(n);
  }

  return {
    orders,
    confused,
    accepted: () => accepted,
    schedule(atMs) {
      const n = orders.count;
      grow(n + 1);
      orders.count += 1;
      orders.scheduledAt[n] = atMs;
      return n;
    },
    expect(count) {
      grow(count);
      orders.count = count;
      orders.status.fill(201, 0, count);
      accepted = count;
    },
    sent(n, atMs) {
      orders.sentAt[n] = atMs;
    },
    answered(n, status, traceId, atMs) {
      orders.answeredAt[n] = atMs;
      orders.status[n] = status;
      if (status !== 201) return;
      accepted += 1;
      note(n, traceId);
    },
    gotTicketing(n, traceId, gaveTickets) {
      note(n, traceId);
      if (gaveTickets && orders.ticketed[n]! < MAX_COUNT) orders.ticketed[n]! += 1;
    },
    gotCallback(n, traceId, atMs) {
      note(n, traceId);
      const isFirst = orders.callbacks[n] === 0;
      if (isFirst) orders.deliveredAt[n] = atMs;
      if (orders.callbacks[n]! < MAX_COUNT) orders.callbacks[n]! += 1;
      return isFirst;
    },
  };
}

function copied<T extends { set(from: T): void }>(from: T, to: T): T {
  to.set(from);
  return to;
}
