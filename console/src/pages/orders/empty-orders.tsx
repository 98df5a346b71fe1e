import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { overviewQuery, rejectionsQuery } from "../../api/page-queries.ts";
import { countsQuery } from "../../api/queries.ts";
import { count, counted } from "../../format/words.ts";
import { epochOf } from "../../format/zoned.ts";
import { useToday } from "../../preferences/use-today.ts";
import type { OrderFilter } from "../../search/orders-search.ts";
import { useSession } from "../../session/session.ts";
import { Empty } from "../../ui/empty.tsx";
import { CheckIcon, FilterIcon, SearchIcon } from "../../ui/icons.tsx";
import { Notice } from "../../ui/notice.tsx";
import { Panel } from "../../ui/page.tsx";
import { Time } from "../../ui/time.tsx";
import { FirstOrder } from "./first-order.tsx";

const LINK = "text-accent underline";

/** Why the list is empty, and what can be done about it. */
export function EmptyOrders({ filter, isHome }: { readonly filter: OrderFilter; readonly isHome: boolean }) {
  const { data: all } = useQuery(countsQuery({}, true));
  return (
    <Panel>
      {all?.total === 0 ? (
        <FirstOrder />
      ) : filter.q !== undefined ? (
        <NothingFound text={filter.q} isNarrowed={Object.keys(filter).length > 1} />
      ) : isHome ? (
        <NothingToDo />
      ) : (
        <Empty Icon={FilterIcon} title="No order matches">
          Lift a filter above, or look at{" "}
          <Link to="/" search={{ view: "all" }} className={LINK}>
            all orders
          </Link>
          .
        </Empty>
      )}
    </Panel>
  );
}

function NothingToDo() {
  const failing = useFailing();
  const { time_zone: venue } = useSession();
  const midnight = new Date(epochOf(useToday(), venue)).toISOString();
  const { data } = useQuery(countsQuery({ created_from: midnight }, true));
  const delivered = data?.counts.ota_callback_delivered ?? 0;
  const ended = delivered + (data?.counts.cancelled ?? 0) + (data?.counts.closed ?? 0);
  return (
    <Empty Icon={CheckIcon} title={failing === null ? "Nothing needs attention" : "No order needs attention"}>
      {failing !== null && <HeldBack failing={failing} />}
      <p className="num min-h-5">
        {data && (
          <>
            Today{data.at_least ? ", at least" : ""}: {counted(data.total, "order")}, {count(delivered)}{" "}
            delivered, {count(data.total - ended)} under way.
          </>
        )}
      </p>
      <Link to="/" search={{ view: "all" }} className={LINK}>
        Look at all orders
      </Link>
    </Empty>
  );
}

/** Targets that fail, in words: orders that wait for them don't need attention. Null: none does. */
function useFailing(): string | null {
  const { data } = useQuery({ ...overviewQuery(24), staleTime: 30_000 });
  const isTicketing = data?.ticketing.circuit === "open";
  const partners = data?.partners.filter(({ callbacks }) => callbacks.circuit === "open").length ?? 0;
  const callbacks = `callbacks of ${counted(partners, "partner")}`;
  if (partners === 0) return isTicketing ? "Ticketing fails" : null;
  return isTicketing ? `Ticketing fails, and so do ${callbacks}` : `C${callbacks.slice(1)} fail`;
}

function HeldBack({ failing }: { readonly failing: string }) {
  return (
    <div className="my-2 text-start">
      <Notice tone="wait" title={`${failing}.`}>
        Orders are held back, and go on by themselves when it is over.{" "}
        <Link to="/overview" className="underline">
          See the overview
        </Link>
      </Notice>
    </div>
  );
}

function NothingFound({ text, isNarrowed }: { readonly text: string; readonly isNarrowed: boolean }) {
  return (
    <Empty Icon={SearchIcon} title="Nothing has exactly this id, code or reference">
      <p className="mb-2 wrap-anywhere">
        “{text}” is no order id, external id, trace id, ticketing reference or ticket code
        {isNarrowed && " of an order that the other filters let through"}. They are found whole, with capitals
        and small letters as they are.
      </p>
      {isNarrowed && (
        <p className="mb-2">
          <Link to="/" search={{ q: text }} className={LINK}>
            Search without the other filters
          </Link>
        </p>
      )}
      <Refused text={text} />
    </Empty>
  );
}

/** As long as an external id may be. */
const MAX_EXTERNAL_ID = 128;

/** A partner that says it has sent an order may have been refused. */
function Refused({ text }: { readonly text: string }) {
  const { data, isError } = useInfiniteQuery({
    ...rejectionsQuery({ partner: null, external_order_id: text }),
    enabled: text.length <= MAX_EXTERNAL_ID,
  });
  const newest = data?.pages[0]?.rejections[0];
  if (newest !== undefined || isError) {
    return (
      <p>
        {newest ? (
          <>
            {newest.partner_id ?? "Somebody"} sent an order with this id, which was refused (last at{" "}
            <Time at={newest.at} />
            ).{" "}
          </>
        ) : (
          "Was it refused? "
        )}
        <Link to="/partners" search={{ external_order_id: text }} className={LINK}>
          {newest ? "See why" : "Look among the refused orders"}
        </Link>
      </p>
    );
  }
  return <p className="min-h-5">{data && "Nor was an order with this external id refused."}</p>;
}
