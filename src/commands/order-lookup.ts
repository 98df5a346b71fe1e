import type { Storage } from "../storage/open.ts";
import { Failure } from "./cli/failure.ts";
import { invocation } from "./cli/invocation.ts";
import { plain } from "./cli/output.ts";

/** Newest first. @throws {@link Failure} when there is none */
export async function findOrders(storage: Storage, ref: string): Promise<[number, ...number[]]> {
  const [newest, ...others] = await storage.orders.find(ref.replace(/^#/, ""));
  if (newest === undefined) throw notFound(ref);
  return [newest, ...others];
}

export function notFound(ref: string): Failure {
  return new Failure("not_found", `no order has the id, external order id or trace id ${plain(ref)}`, {
    advice: `\`${invocation()} order list\` shows the latest; DATABASE_URL says in which database`,
  });
}

/** @throws {@link Failure} unless exactly one order is meant: nothing is done by guess */
export async function findOne(storage: Storage, ref: string): Promise<number> {
  const [id, ...others] = await findOrders(storage, ref);
  if (others.length === 0) return id;
  throw new Failure("usage", `${plain(ref)} names several orders: ${[id, ...others].join(", ")}`, {
    advice: "say which by its id",
  });
}
