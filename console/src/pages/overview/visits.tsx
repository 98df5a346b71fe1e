import { Link } from "@tanstack/react-router";
import type { Overview } from "../../api/types.ts";
import { dayWords } from "../../format/time.ts";
import { count } from "../../format/words.ts";
import { visitsWithoutTickets } from "../../search/order-lists.ts";
import { Figure } from "../../ui/figure.tsx";
import { CheckIcon } from "../../ui/icons.tsx";
import { Panel } from "../../ui/page.tsx";
import { ATTENTION } from "../../search/status-sets.ts";
import { WaitingOrder } from "./waiting-order.tsx";

interface Props {
  readonly visits: Overview["visits"][number];
  readonly day: "today" | "tomorrow";
  readonly atLeast: boolean;
}

const SHOWN = 3;
type Order = Props["visits"]["orders"][number];
const standsStill = ({ status }: Order): boolean => ATTENTION.includes(status);

/** Guests who would stand at the gate without a ticket: alarming where orders stand still, as those in work still get theirs. */
export function VisitsWithoutTickets({ visits: { date, not_ticketed, orders }, day, atLeast }: Props) {
  const search = visitsWithoutTickets(date);
  const [standing, inWork] = [orders.filter(standsStill), orders.filter((order) => !standsStill(order))];
  const rest = not_ticketed - Math.min(SHOWN, orders.length);
  return (
    <Panel title={`Visits ${day}`} aside={<span className="num text-xs text-ink-3">{dayWords(date)}</span>}>
      {not_ticketed === 0 ? (
        <p className="flex items-center gap-2 px-3 py-3 text-good">
          <CheckIcon className="size-5" />
          No order is without tickets
        </p>
      ) : (
        <>
          <p className="px-3 pt-2 pb-1">
            <Link
              to="/"
              search={search}
              className={`group inline-flex items-baseline gap-2 ${standing.length > 0 ? "text-stop" : "text-wait"}`}
            >
              <span className="text-[1.75rem] leading-9 font-semibold">
                <Figure value={not_ticketed} atLeast={atLeast} />
              </span>
              <span className="font-medium underline decoration-transparent group-hover:decoration-current">
                {not_ticketed === 1 ? "order without tickets" : "orders without tickets"}
              </span>
            </Link>
          </p>
          <ul className="pb-1.5">
            {[...standing, ...inWork].slice(0, SHOWN).map((order) => (
              <WaitingOrder key={order.id} order={order} />
            ))}
          </ul>
          {rest > 0 && (
            <p className="px-3 pb-2.5">
              <Link to="/" search={search} className="text-ink-2 underline hover:text-ink">
                {count(rest)} more
              </Link>
            </p>
          )}
        </>
      )}
    </Panel>
  );
}
