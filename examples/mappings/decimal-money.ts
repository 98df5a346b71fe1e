// A ticketing system that wants money as decimal texts ("1299.00", "129900" of yen), a total, and answers a repeat with 409.
//
//   TICKETING_URL=https://tickets.example.com/api/sales
//   TICKETING_MAPPING=examples/mappings/decimal-money.ts
import type { Mapping, MappingItem } from "wavegate/mapping";

export const request: Mapping["request"] = (order, { toDecimal }) => {
  const [{ currency }] = order.items as readonly [MappingItem, ...MappingItem[]];
  if (order.items.some((item) => item.currency !== currency)) throw new Error("more than one currency");
  // A price may be up to 2^53-1: times a quantity it is beyond what numbers hold exactly.
  const totalOf = ({ unit_price_minor, qty }: MappingItem) => BigInt(unit_price_minor) * BigInt(qty);
  const total = order.items.reduce((sum, item) => sum + totalOf(item), 0n);
  return {
    headers: { "X-Sale-Key": order.trace_id },
    body: {
      sale_key: order.trace_id,
      order_no: order.external_order_id,
      customer: order.buyer ?? null,
      currency,
      total: toDecimal(total, currency),
      lines: order.items.map((item) => ({
        article: item.sku,
        quantity: item.qty,
        price: toDecimal(item.unit_price_minor, currency),
        amount: toDecimal(totalOf(item), currency),
        date: item.visit_date,
        time: item.visit_time,
      })),
    },
  };
};

interface Sale {
  readonly sale_no: string;
  readonly codes: readonly string[];
}

export const response: NonNullable<Mapping["response"]> = (status, body) => {
  if (status === 200 || status === 201) {
    const { sale_no, codes } = body as Sale;
    return { outcome: "done", reference: sale_no, tickets: codes };
  }
  // The key has been used: an attempt whose answer was lost has bought these tickets.
  if (status === 409) {
    const { sale_no, codes = [] } = (body ?? {}) as Partial<Sale>;
    return { outcome: "already_done", reference: sale_no, tickets: codes };
  }
  if (status === 423) return { outcome: "retry", reason: "the day is being closed", retryAfterSecs: 60 };
  return null;
};
