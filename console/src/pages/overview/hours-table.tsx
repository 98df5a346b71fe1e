import { Link } from "@tanstack/react-router";
import type { Overview } from "../../api/types.ts";
import { count } from "../../format/words.ts";
import { SERIES, useHourName } from "./hour-series.ts";
import { type HourKind, ordersOfHours } from "../../search/order-lists.ts";

const HEADS: Record<HourKind, string> = {
  accepted: "Accepted",
  ticketed: "Ticketed",
  delivered: "Delivered",
  blocked: "Stopped",
};

/** The same in numbers: the newest hour first, and each number a way to its orders that fits a finger. */
export function HoursTable({ hours }: { readonly hours: Overview["hours"] }) {
  const nameOf = useHourName();
  return (
    <details className="border-t border-line">
      <summary className="px-3 py-2 text-ink-2 hover:text-ink">The hours as a table</summary>
      <p className="px-3 pb-2 text-xs text-ink-3">
        Lists find orders by when they were accepted. An order may have stopped long after that: those lists
        go back further.
      </p>
      <table className="w-full max-w-3xl">
        <thead className="text-xs text-ink-3">
          <tr>
            <th scope="col" className="px-3 py-1.5">
              Hour
            </th>
            {SERIES.map(({ kind }) => (
              <th key={kind} scope="col" className="px-3 py-1.5 text-end">
                {HEADS[kind]}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {hours.toReversed().map((hour) => (
            <tr key={hour.from} className="h-8 border-t border-line hover:bg-hover">
              <th scope="row" className="num px-3 font-normal whitespace-nowrap">
                {nameOf(hour.from)}
              </th>
              {SERIES.map(({ kind }) => (
                <td key={kind} className="num px-3 text-end">
                  <HourCount kind={kind} hour={hour} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}

function HourCount({ kind, hour }: { readonly kind: HourKind; readonly hour: Overview["hours"][number] }) {
  if (hour[kind] === 0) return <span className="text-ink-3">0</span>;
  const fromMs = Date.parse(hour.from);
  return (
    <Link
      to="/"
      search={ordersOfHours(kind, fromMs, fromMs)}
      className={`inline-flex min-h-8 min-w-8 items-center justify-end underline decoration-line-strong hover:decoration-current ${
        kind === "blocked" ? "font-medium text-stop" : ""
      }`}
    >
      {count(hour[kind])}
    </Link>
  );
}
