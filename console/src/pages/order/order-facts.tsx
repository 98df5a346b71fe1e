import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { hostOf } from "../../../../src/orders/verdict-words.ts";
import type { OrderStory } from "../../api/types.ts";
import { count, counted, money } from "../../format/words.ts";
import { Copyable } from "../../ui/copy.tsx";
import { Panel } from "../../ui/page.tsx";
import { Time } from "../../ui/time.tsx";
import { ItemsTable } from "./items-table.tsx";

/** What an order is, as far as it never changes much. */
export function OrderFacts({ story }: { readonly story: OrderStory }) {
  const { order } = story;
  const isOver = order.status === "cancelled" || order.status === "closed";
  const units = order.items.reduce((sum, { qty }) => sum + qty, 0);
  return (
    <aside aria-label="Facts" className="flex min-w-0 flex-col gap-4">
      <Panel>
        <dl className="grid grid-cols-[6.5rem_minmax(0,1fr)] items-center gap-x-3 px-3 py-2">
          <Fact name="Order id">
            <Copyable text={String(order.id)} what="order id" />
          </Fact>
          <Fact name="Trace id">
            <Copyable text={order.trace_id} what="trace id" />
          </Fact>
          <Fact name="Reference">
            {order.reference === null ? <None /> : <Copyable text={order.reference} what="reference" />}
          </Fact>
          <Fact name="Tickets">
            <Link to="." search={{ tab: "tickets" }} resetScroll={false} className="num underline">
              {count(order.tickets.length)} for {counted(units, "unit")}
            </Link>
          </Fact>
          <Fact name="Accepted">
            <Time at={order.created_at} />
          </Fact>
          <Fact name="Ticketed">
            {order.ticketed_at === null ? (
              <None word={isOver ? "no" : "not yet"} />
            ) : (
              <Time at={order.ticketed_at} />
            )}
          </Fact>
          <Fact name="Delivered">
            {order.delivered_at === null ? (
              <None word={isOver ? "no" : "not yet"} />
            ) : (
              <Time at={order.delivered_at} />
            )}
          </Fact>
          <Fact name="Visit">{visitsOf(order.items) || <None />}</Fact>
          <Fact name="Total">
            <span className="num font-medium">{totalsOf(order.items).join(" + ")}</span>
          </Fact>
          <Fact name="Callback">
            <span className="block truncate" title={hostOf(order.callback_url) ?? undefined}>
              {hostOf(order.callback_url) ?? <None />}
            </span>
          </Fact>
        </dl>
      </Panel>
      <Panel title={counted(order.items.length, "item")}>
        <ItemsTable items={order.items} />
      </Panel>
    </aside>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <>
      <dt className="py-1 text-ink-3">{name}</dt>
      <dd className="min-w-0 py-0.5 wrap-anywhere">{children}</dd>
    </>
  );
}

const None = ({ word = "none" }: { readonly word?: string }) => <span className="text-ink-3">{word}</span>;

type Items = OrderStory["order"]["items"];

/** `2026-08-25 13:30`, `2026-08-25 to 2026-08-27`: the venue's dates, as they were ordered. */
function visitsOf(items: Items): string {
  const visits = items.flatMap(({ visit_date, visit_time }) =>
    visit_date === undefined ? [] : [`${visit_date}${visit_time === undefined ? "" : ` ${visit_time}`}`],
  );
  const [first, ...rest] = [...new Set(visits)].toSorted();
  const last = rest.at(-1);
  return last === undefined ? (first ?? "") : `${first} to ${last}`;
}

/** By currency, exactly: prices times quantities may be more than a number holds. */
function totalsOf(items: Items): string[] {
  const totals = new Map<string, bigint>();
  for (const { qty, unit_price_minor, currency } of items) {
    totals.set(currency, (totals.get(currency) ?? 0n) + BigInt(qty) * BigInt(unit_price_minor));
  }
  return [...totals].map(([currency, minor]) => money(minor, currency));
}
