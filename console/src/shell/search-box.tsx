import { useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useRef } from "react";
import { ordersQuery } from "../api/queries.ts";
import { SearchIcon } from "../ui/icons.tsx";

/** One box over everything: order id, external id, trace id, ticketing's reference, ticket code. One order is opened at once. */
export function SearchBox() {
  const navigate = useNavigate();
  const queries = useQueryClient();
  const { q = "" } = useSearch({ strict: false });
  const input = useRef<HTMLInputElement>(null);
  /** What was asked for last: an answer that comes after it leads nowhere. */
  const asked = useRef("");
  useEffect(() => {
    if (input.current) input.current.value = q;
  }, [q]);

  async function search(text: string): Promise<void> {
    asked.current = text;
    if (text === "") return navigate({ to: "/", search: {} });
    const found = await queries.fetchInfiniteQuery(ordersQuery({ q: text })).catch(() => null);
    if (asked.current !== text) return;
    const [only, ...more] = found?.pages[0]?.orders ?? [];
    if (only === undefined || more.length > 0) return navigate({ to: "/", search: { q: text } });
    if (input.current) input.current.value = "";
    return navigate({ to: "/orders/$id", params: { id: String(only.id) } });
  }

  return (
    <search className="min-w-0 max-w-md flex-1">
      <form
        className="relative"
        onSubmit={(event) => {
          event.preventDefault();
          // The keys of the page are its own again.
          input.current?.blur();
          void search(input.current?.value.trim() ?? "");
        }}
      >
        <SearchIcon className="pointer-events-none absolute start-2.5 top-1/2 size-4 -translate-y-1/2 text-ink-3" />
        <input
          ref={input}
          id="search"
          type="search"
          defaultValue={q}
          maxLength={255}
          autoComplete="off"
          spellCheck={false}
          aria-label="Search by order id, external id, trace id, reference or ticket code"
          placeholder="Order, external id, trace id, reference, ticket code"
          onKeyDown={(event) => event.key === "Escape" && event.currentTarget.blur()}
          className="h-8 w-full rounded-md border border-line-strong bg-page ps-8 pe-3 text-sm text-ellipsis md:pe-8 placeholder:text-ink-3"
        />
        <kbd className="pointer-events-none absolute end-2 top-1/2 hidden -translate-y-1/2 rounded border border-line px-1 font-mono text-xs text-ink-3 md:block">
          /
        </kbd>
      </form>
    </search>
  );
}
