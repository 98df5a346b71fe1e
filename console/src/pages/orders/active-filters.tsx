import { Link } from "@tanstack/react-router";
import { type OrderFilter, type OrdersSearch, withoutFilter } from "../../search/orders-search.ts";
import { CrossIcon } from "../../ui/icons.tsx";
import { FILTER_WORDS } from "./filter-words.tsx";

interface Props {
  readonly search: OrdersSearch;
  readonly named: readonly (readonly [name: string, value: unknown])[];
}

/** What the list is narrowed to; each is a link to the list without it. */
export function ActiveFilters({ search, named }: Props) {
  return (
    <ul className="flex flex-wrap gap-2">
      {named.map(([name, value]) => (
        <li key={name} className="max-w-full">
          <Link
            to="/"
            search={withoutFilter(search, name as keyof OrderFilter)}
            className="inline-flex min-h-7 max-w-full items-center gap-1.5 rounded-md bg-accent-soft ps-2.5 pe-1.5 text-accent hover:underline"
          >
            <span className="sr-only">Remove the filter </span>
            <span className="truncate">{FILTER_WORDS[name as keyof OrderFilter](value as never)}</span>
            <CrossIcon className="size-3.5" />
          </Link>
        </li>
      ))}
    </ul>
  );
}
