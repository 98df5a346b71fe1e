import { Link } from "@tanstack/react-router";
import type { Leg, PartnerWithStanding } from "../../api/types.ts";
import { count } from "../../format/words.ts";
import { useNow } from "../../preferences/use-now.ts";
import type { OrdersSearch } from "../../search/orders-search.ts";
import { OF_LEG } from "../../search/status-sets.ts";
import { Time } from "../../ui/time.tsx";

/** Where counting ends: it stands for that and more. */
const MOST = 10_000;
const DAY_MS = 86_400_000;

/** A day ago on a whole minute, so that the link stays the same while somebody looks at it. */
function dayAgo(nowMs: number): string {
  return new Date(Math.floor((nowMs - DAY_MS) / 60_000) * 60_000).toISOString();
}

export function upTo(value: number): string {
  return value >= MOST ? `${count(MOST)}+` : count(value);
}

const NUMBER =
  "num -mx-1 inline-flex min-h-6 min-w-6 items-center justify-end rounded px-1 underline decoration-line-strong hover:bg-hover";

interface Props {
  readonly value: number;
  /** What is counted, for those who don't see the column. */
  readonly label: string;
  readonly search: OrdersSearch;
  /** True: a number above zero needs somebody. */
  readonly bad?: boolean;
}

/** A number that opens the orders which it counts; a zero opens nothing, and stays quiet. */
function OrdersNumber({ value, label, search, bad = false }: Props) {
  if (value === 0) return <Quiet />;
  return (
    <Link
      to="/"
      search={search}
      aria-label={`${upTo(value)} ${label}`}
      className={`${NUMBER} ${bad ? "font-semibold text-stop" : ""}`}
    >
      {upTo(value)}
    </Link>
  );
}

interface Of {
  readonly partner: PartnerWithStanding;
}

const AT_LEG: Readonly<Record<Leg, string>> = { ticketing: "at ticketing", callback: "at their callback" };

/** Orders of a partner that stand still at a leg until somebody acts. */
export function StoppedOrders({ partner: { partner_id: id, stopped }, leg }: Of & { readonly leg: Leg }) {
  return (
    <OrdersNumber
      bad
      value={leg === "ticketing" ? stopped.ticketing : stopped.callbacks}
      label={`need attention ${AT_LEG[leg]}`}
      search={{ partner: id, status: OF_LEG[leg].standing }}
    />
  );
}

/** Orders of a partner that were accepted in the last day. */
export function OrdersOfDay({ partner: { partner_id: id, last_day: day } }: Of) {
  const since = dayAgo(useNow());
  return (
    <OrdersNumber
      value={day.orders}
      label="accepted in 24 hours"
      search={{ partner: id, view: "all", created_from: since }}
    />
  );
}

/** Attempts of the last day that failed at a partner, and what they failed by. */
export function FailedCallbacks({ id, value }: { readonly id: string; readonly value: number }) {
  if (value === 0) return <Quiet />;
  return (
    <Link
      to="/errors"
      search={{ leg: "callback", partner: id }}
      aria-label={`${upTo(value)} failed callbacks in 24 hours`}
      className={`${NUMBER} text-wait`}
    >
      {upTo(value)}
    </Link>
  );
}

export function Quiet() {
  return <span className="num text-ink-3">0</span>;
}

export function Moment({ at }: { readonly at: string | null }) {
  return at === null ? <span className="text-ink-3">Never</span> : <Time at={at} />;
}
