import type { OrderStory } from "../../api/types.ts";
import { visible } from "../../format/visible.ts";
import { count, money } from "../../format/words.ts";

/** What was ordered. */
export function ItemsTable({ items }: { readonly items: OrderStory["order"]["items"] }) {
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls is scrolled with keys
    <div className="max-h-80 overflow-y-auto" tabIndex={0} role="region" aria-label="Items">
      <table className="w-full text-xs">
        <thead className="sr-only">
          <tr>
            <th scope="col">Quantity</th>
            <th scope="col">Item</th>
            <th scope="col">Price of one</th>
          </tr>
        </thead>
        <tbody>
          {items.map(({ sku, qty, unit_price_minor, currency, visit_date, visit_time }, index) => (
            // oxlint-disable-next-line react/no-array-index-key -- items have no other name
            <tr key={index} className="border-t border-line align-top first:border-0">
              <td className="num py-1.5 ps-3 text-end whitespace-nowrap">{count(qty)} ×</td>
              <td className="px-2 py-1.5">
                <span className="font-medium wrap-anywhere">{visible(sku)}</span>
                {visit_date !== undefined && (
                  <span className="num block text-ink-3">
                    {visit_date} {visit_time}
                  </span>
                )}
              </td>
              <td className="num py-1.5 pe-3 text-end">{money(unit_price_minor, currency)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
