import { lazy, type ReactNode, Suspense, useState } from "react";
import { namedFilter, type OrdersSearch } from "../../search/orders-search.ts";
import { Button } from "../../ui/button.tsx";
import { FilterIcon } from "../../ui/icons.tsx";
import { Views } from "./views.tsx";

const ActiveFilters = lazy(() =>
  import("./active-filters.tsx").then(({ ActiveFilters }) => ({ default: ActiveFilters })),
);
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
        <Suspense fallback={<div className="min-h-7" />}>
          <ActiveFilters search={search} named={named} />
        </Suspense>
      )}
      <Suspense>{isOpen && <FilterForm search={search} onClose={() => setOpen(false)} />}</Suspense>
    </section>
  );
}
