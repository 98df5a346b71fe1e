import { Link } from "@tanstack/react-router";
import { lazy, type ReactNode, Suspense, useState } from "react";
import { namedFilter, type OrderFilter, type OrdersSearch, withoutFilter } from "../../search.ts";
import { Button } from "../../ui/button.tsx";
import { CrossIcon, FilterIcon } from "../../ui/icons.tsx";
import { FILTER_WORDS } from "./filter-words.tsx";
import { Views } from "./views.tsx";

const FilterForm = lazy(() =>
  import("./filter-form.tsx").then(({ FilterForm }) => ({ default: FilterForm })),
);

/** The views, what the list is narrowed to beyond them, each with a cross that lifts it, and the form with all that there is. */
export function FilterBar({
  search,
  children,
}: {
  readonly search: OrdersSearch;
  readonly children?: ReactNode;
}) {
  const [isOpen, setOpen] = useState(false);
  const named = Object.entries(namedFilter(search)).filter(
    // A single one is a view, which stands above.
    ([name, value]) => name !== "status" || (value as readonly string[]).length > 1,
  );
  return (
    <section aria-label="Filters" className="flex flex-col gap-2">
      <div className="flex flex-wrap items-start gap-x-4 gap-y-2">
        <Views search={search} />
        <div className="ms-auto flex items-center gap-2">
          {children}
          <Button aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
            <FilterIcon className="size-3.5" />
            Filter
          </Button>
        </div>
      </div>
      {named.length > 0 && (
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
      )}
      <Suspense>{isOpen && <FilterForm search={search} onClose={() => setOpen(false)} />}</Suspense>
    </section>
  );
}
