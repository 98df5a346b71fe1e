/** Stands for the order's number. */
export const NUMBER = "#";

const item = (sku: string, qty: number, unitPriceMinor: number) => ({
  sku,
  qty,
  unit_price_minor: unitPriceMinor,
  currency: "THB",
  visit_date: "2026-12-24",
});

export const ITEMS = [item("ADULT-DAY", 2, 129900), item("CHILD-DAY", 1, 89900)] as const;

/** An order as a partner sends it. @param prefix a letter that tells whose order it is */
export function orderText(prefix: string, callbackUrl: string): string {
  return JSON.stringify({
    external_order_id: `${prefix}-${NUMBER}`,
    callback_url: callbackUrl,
    items: ITEMS,
    buyer: { name: "สมชาย ใจดี", email: "buyer@example.com" },
  });
}
