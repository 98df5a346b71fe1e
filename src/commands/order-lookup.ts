import { ANY_ORDER } from "../orders/order-filter.ts";
import type { Storage } from "../storage/open.ts";
import { Failure } from "./cli/failure.ts";
import { invocation } from "./cli/invocation.ts";
import { brief, plain } from "./cli/output.ts";
import { relative } from "./cli/time.ts";

const MAX_FOUND = 20;
const REASON_CHARS = 200;

/**
 * Newest first: by our id, the partner's or the trace id; where there is none, by ticketing's reference or a ticket's code.
 * @throws {@link Failure} when there is none
 */
export async function findOrders(storage: Storage, given: string): Promise<[number, ...number[]]> {
  const ref = given.replace(/^#/, "");
  let found = await storage.orders.find(ref);
  if (found.length === 0) {
    const { orders } = await storage.orderSearch.page({ ...ANY_ORDER, q: ref }, null, MAX_FOUND);
    found = orders.map(({ id }) => id);
  }
  const [newest, ...others] = found;
  if (newest === undefined) throw (await wasRefused(storage, ref)) ?? notFound(ref);
  return [newest, ...others];
}

export function notFound(ref: string): Failure {
  const names = "id, external order id, trace id, reference or ticket code";
  return new Failure("not_found", `no order has the ${names} ${plain(ref)}`, {
    advice: `\`${invocation()} order list\` shows the latest; DATABASE_URL says in which database`,
  });
}

/** There is no such order because it was refused: then that is the answer. */
async function wasRefused({ lists }: Storage, externalOrderId: string): Promise<Failure | null> {
  const filter = { partnerId: null, externalOrderId, status: null, since: null, until: null };
  const [last] = (await lists.rejections(filter, null, 1)).rows;
  if (last === undefined) return null;
  const { partner_id: partner, status, reason, at } = last;
  const when = relative(at, Date.now());
  return new Failure(
    "not_found",
    `there is no order ${plain(externalOrderId)}, but one of partner ${plain(partner)} was refused ${when}: ` +
      `${status}, ${brief(reason, REASON_CHARS)}`,
    {
      advice: `\`${invocation()} rejection list --partner ${plain(partner)}\` shows what else it was refused`,
    },
  );
}

/** @throws {@link Failure} unless exactly one order is meant: nothing is done by guess */
export async function findOne(storage: Storage, ref: string): Promise<number> {
  const [id, ...others] = await findOrders(storage, ref);
  if (others.length === 0) return id;
  throw new Failure("usage", `${plain(ref)} names several orders: ${[id, ...others].join(", ")}`, {
    advice: "say which by its id",
  });
}
