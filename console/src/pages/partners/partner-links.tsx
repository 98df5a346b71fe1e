import { Link } from "@tanstack/react-router";
import { count } from "../../format/words.ts";
import type { OrdersSearch } from "../../search/orders-search.ts";

/** Where counting ends: it stands for that and more. */
const MOST = 10_000;
const DAY_MS = 86_400_000;

/** A day ago on a whole minute, so that the link stays the same while somebody looks at it. */
export function dayAgo(nowMs: number): string {
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
export function OrdersNumber({ value, label, search, bad = false }: Props) {
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
