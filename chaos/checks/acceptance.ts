import type { Evidence } from "../evidence.ts";
import { eachOrder, invariant, type Invariant } from "./invariant.ts";

/** Accepted orders are never lost, never made twice, never made up. */
export function checkAcceptance(evidence: Evidence): Invariant[] {
  const { plan, answers, orders, keys, items } = evidence;
  const byId = new Map(orders.map((order) => [order.row.id, order]));
  return [
    invariant("every order was answered with 201", (tell) => {
      const answered = new Set(answers.map(({ order }) => order.no));
      for (const { status, body, order } of answers)
        tell(null, status !== 201 && `${order.externalOrderId}: ${status} ${JSON.stringify(body)}`);
      for (const { no, externalOrderId } of plan.orders)
        tell(null, !answered.has(no) && `${externalOrderId} never got an answer`);
    }),
    invariant("a 201 is an order, the same for each request of its key", (tell) => {
      for (const { status, body, order } of answers) {
        if (status !== 201) continue;
        const found = byId.get(Number(body["id"]));
        const same =
          found?.row.trace_id === body["trace_id"] &&
          found?.row.external_order_id === order.externalOrderId &&
          body["external_order_id"] === order.externalOrderId &&
          found?.row.partner_id === order.partner.id &&
          keys.get(order.key) === body["trace_id"];
        tell(
          found ?? null,
          !same &&
            `201 said ${JSON.stringify(body)} to key ${order.key} (${keys.get(order.key) ?? "unknown"})`,
        );
      }
    }),
    invariant("one order for each key, and none that nobody sent", (tell) => {
      const counts = new Map<string, number>();
      for (const order of orders) {
        const { external_order_id: externalOrderId } = order.row;
        counts.set(externalOrderId, (counts.get(externalOrderId) ?? 0) + 1);
        tell(order, order.planned === null && `nobody sent ${externalOrderId}`);
      }
      for (const { externalOrderId } of plan.orders) {
        const count = counts.get(externalOrderId) ?? 0;
        tell(
          orders.find(({ row }) => row.external_order_id === externalOrderId) ?? null,
          count !== 1 && `${externalOrderId} is ${count} orders`,
        );
      }
    }),
    eachOrder("an order is whole: items, one job for each leg", evidence, ({ row, planned, legs }) => {
      const wrong =
        items.get(row.id) !== planned?.items.length ||
        legs.ticketing.jobs.length !== 1 ||
        legs.callback.jobs.length !== 1;
      return (
        wrong &&
        `${items.get(row.id) ?? 0} items, ${legs.ticketing.jobs.length} ticketing jobs, ${legs.callback.jobs.length} callback jobs`
      );
    }),
  ];
}
