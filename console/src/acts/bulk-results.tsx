import type { UseInfiniteQueryResult, InfiniteData } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { BulkOrderResult } from "../api/types.ts";
import { Button } from "../ui/button.tsx";
import { StatusBadge } from "../ui/status.tsx";
import { RESULT_WORDS } from "./bulk-words.ts";

interface Props {
  readonly query: UseInfiniteQueryResult<InfiniteData<{ readonly results: readonly BulkOrderResult[] }>>;
}

/** What became of each order that had its turn, by order id. */
export function BulkResults({ query }: Props) {
  const results = query.data?.pages.flatMap((page) => page.results) ?? [];
  if (results.length === 0) return <p className="min-h-48 py-3 text-ink-2">None so far.</p>;
  return (
    <div className={`min-h-48 ${query.isPlaceholderData ? "opacity-60" : ""}`}>
      <table className="w-full table-fixed">
        <thead className="text-xs text-ink-3">
          <tr className="border-b border-line">
            <th scope="col" className="py-1.5 pe-3">
              Order
            </th>
            <th scope="col" className="py-1.5 pe-3">
              What became of it
            </th>
            <th scope="col" className="hidden w-44 py-1.5 sm:table-cell">
              Status then
            </th>
          </tr>
        </thead>
        <tbody>
          {results.map((each) => (
            <Result key={each.order_id} {...each} />
          ))}
        </tbody>
      </table>
      {query.hasNextPage && (
        <Button
          className="mt-2"
          busy={query.isFetchingNextPage && "Loading"}
          onClick={() => void query.fetchNextPage()}
        >
          Show 100 more
        </Button>
      )}
    </div>
  );
}

function Result({
  order_id: id,
  external_order_id: name,
  partner_id: partner,
  result,
  order_status,
}: BulkOrderResult) {
  const isRefused = result === "refused" || result === "locked";
  return (
    <tr className="border-b border-line">
      <td className="truncate py-1 pe-3">
        <Link
          to="/orders/$id"
          params={{ id: String(id) }}
          title={`${partner} ${name ?? id}`}
          className="inline-block min-h-6 max-w-full truncate align-middle font-mono text-xs leading-6 text-accent hover:underline"
        >
          {name ?? `#${id}`}
        </Link>
      </td>
      <td className={`py-1 pe-3 ${isRefused ? "text-stop" : ""}`}>{RESULT_WORDS[result]}</td>
      <td className="hidden py-1 sm:table-cell">{order_status && <StatusBadge status={order_status} />}</td>
    </tr>
  );
}
