import type { Clock } from "../lib/clock.ts";
import type { OrderStatus } from "../orders/states.ts";
import type { Changes, Moved, OrderState } from "../storage/changes.ts";

export interface OrderWatchOptions {
  readonly changes: Changes;
  readonly clock: Pick<Clock, "wallMs">;
  /** Names all that are watched, each time; without it, they are told by what moves. */
  readonly named?: (() => Promise<readonly number[]>) | undefined;
}

export interface SeenOrder {
  readonly id: number;
  readonly status: OrderStatus;
  /** It wasn't there at the look before; otherwise it has changed. */
  readonly came: boolean;
}

export interface OrderLook {
  /** By id. */
  readonly orders: readonly SeenOrder[];
  /** Others may have moved too: there was more than one look reads. */
  readonly more: boolean;
}

/** A job that is due so soon is watched, so that its attempt isn't missed between two looks. */
const SOON_MS = 5000;

/**
 * Begins to watch orders. What moves is looked at now and at the next look: an order whose attempt has ended was at work
 * before, and one that has come to rest moves again by an act, or when it is due, and is among those then.
 * @returns a look: each order that has come or changed since the look before. One that rejected may be run again, and misses nothing
 */
export async function watchOrders(options: OrderWatchOptions): Promise<() => Promise<OrderLook>> {
  const { changes, clock, named } = options;
  let marks = await changes.marks();
  const start = marks.order;
  let seen: ReadonlyMap<number, OrderState> = new Map();

  async function movedNow(): Promise<Moved> {
    if (named === undefined) return changes.since(marks, clock.wallMs() + SOON_MS);
    const ids = await named();
    return { came: ids.filter((id) => id > start), acted: [], atWork: ids, cut: false, marks };
  }

  async function look(): Promise<OrderLook> {
    const moved = await movedNow();
    // Those among them that stood before have been seen.
    const came = new Set(moved.came);
    const touched = new Set([...came, ...moved.acted]);
    const watched = new Set([...touched, ...moved.atWork]);
    const states = await changes.states([...watched.union(new Set(seen.keys()))]);
    const orders: SeenOrder[] = [];
    for (const [id, { status, word }] of states) {
      const before = seen.get(id);
      // Of an order that is only now looked at nobody can say whether it has changed, unless somebody touched it.
      if (before === undefined ? touched.has(id) : before.word !== word)
        orders.push({ id, status, came: before === undefined && came.has(id) });
    }
    seen = new Map([...states].filter(([id]) => watched.has(id)));
    marks = moved.marks;
    // What waits for a target that is away is cut at every look, and doesn't move.
    return { orders: orders.sort((a, b) => a.id - b.id), more: moved.cut && orders.length > 0 };
  }

  await look();
  return look;
}
