import { Link } from "@tanstack/react-router";
import type { ErrorsSearch } from "../search/errors-search.ts";
import type { OrdersSearch } from "../search/orders-search.ts";
import { Figure } from "./figure.tsx";
import { TONE_TEXT, type Tone } from "./status.tsx";

interface Counted {
  readonly value: number;
  readonly atLeast: boolean;
}

const SHAPE =
  "inline-flex min-h-7 min-w-7 items-center justify-end underline decoration-line-strong hover:decoration-current";
const NOTHING = <span className="num inline-flex min-h-7 items-center text-ink-3">0</span>;

/** How many orders, and the list of them. */
export function OrdersLink({
  value,
  atLeast,
  search,
  tone,
}: Counted & { readonly search: OrdersSearch; readonly tone?: Tone }) {
  if (value === 0) return NOTHING;
  return (
    <Link to="/" search={search} className={`${SHAPE} ${tone ? `font-medium ${TONE_TEXT[tone]}` : ""}`}>
      <Figure value={value} atLeast={atLeast} />
    </Link>
  );
}

/** How many attempts failed in the last hour, and what they failed by. */
export function FailuresLink({
  value,
  atLeast,
  search,
}: Counted & { readonly search: Omit<ErrorsSearch, "since"> }) {
  if (value === 0) return NOTHING;
  return (
    <Link to="/errors" search={{ ...search, since: "1h" }} className={SHAPE}>
      <Figure value={value} atLeast={atLeast} />
    </Link>
  );
}
