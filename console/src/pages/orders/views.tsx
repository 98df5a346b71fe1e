import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { countsQuery, ordersQuery } from "../../api/queries.ts";
import type { OrderStatus } from "../../api/types.ts";
import { count } from "../../format/words.ts";
import {
  isSame,
  listedFilter,
  namedFilter,
  type OrdersSearch,
  withStatuses,
} from "../../search/orders-search.ts";
import { ATTENTION } from "../../search/status-sets.ts";
import { STATUS, TONE_TEXT } from "../../ui/status.tsx";

/** By what they mean for whoever looks. */
const GROUPS: readonly (readonly [name: string, statuses: readonly OrderStatus[]])[] = [
  ["Needs attention", ATTENTION],
  ["Under way", ["accepted", "ticketing_processing", "ticketed", "ota_callback_pending"]],
  ["Ended", ["ota_callback_delivered", "cancelled", "closed"]],
];

/** Orders by status, whatever the status that the list is narrowed to. */
export function viewCountsQuery(search: OrdersSearch) {
  const { status: _, ...others } = namedFilter(search);
  return { ...countsQuery(others, true), placeholderData: keepPreviousData };
}

/** The list by where orders stand, as links with counts. Other filters stay as they are, and are counted by. */
export function Views({ search }: { readonly search: OrdersSearch }) {
  const { data } = useQuery(viewCountsQuery(search));
  const shown = listedFilter(search).status ?? null;
  const of = (status: OrderStatus): number => data?.counts[status] ?? 0;
  const sum = (statuses: readonly OrderStatus[]): number => statuses.reduce((all, each) => all + of(each), 0);
  const number = (value: number): string =>
    data ? `${count(value)}${data.at_least && value > 0 ? "+" : ""}` : " ";
  const isShown = (statuses: readonly OrderStatus[] | null): boolean =>
    statuses === null || shown === null ? statuses === shown : isSame(statuses, shown);
  const view = (statuses: readonly OrderStatus[] | null) => ({
    to: withStatuses(search, statuses),
    isShown: isShown(statuses),
  });
  return (
    // Groups begin with a line, but where a row of them begins it is cut off.
    <nav
      aria-label="Views"
      className="-mx-3 min-w-0 flex-1 basis-full overflow-x-auto px-3 sm:mx-0 sm:basis-0 sm:overflow-hidden sm:px-0"
    >
      <div className="-ms-3.25 flex gap-y-1 sm:flex-wrap">
        <Group name="By need">
          <View {...view(ATTENTION)} number={number(sum(ATTENTION))}>
            <span className="font-medium">Needs attention</span>
          </View>
          <View {...view(null)} number={number(data?.total ?? 0)}>
            All
          </View>
        </Group>
        {GROUPS.map(([name, statuses]) => {
          const those = statuses.filter((each) => of(each) > 0 || isShown([each]));
          return (
            those.length > 0 && (
              <Group key={name} name={name}>
                {those.map((status) => (
                  <View key={status} {...view([status])} number={number(of(status))}>
                    <StatusWord status={status} />
                  </View>
                ))}
              </Group>
            )
          );
        })}
      </div>
    </nav>
  );
}

function Group({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div
      role="group"
      aria-label={name}
      className="flex shrink-0 border-s border-line px-3 sm:shrink sm:flex-wrap"
    >
      {children}
    </div>
  );
}

function StatusWord({ status }: { readonly status: OrderStatus }) {
  const { word, tone, Icon } = STATUS[status];
  return (
    <>
      <Icon className={`size-3.5 ${TONE_TEXT[tone]}`} />
      {word}
    </>
  );
}

interface ViewProps {
  readonly to: OrdersSearch;
  readonly isShown: boolean;
  readonly number: string;
  readonly children: ReactNode;
}

function View({ to, isShown, number, children }: ViewProps) {
  const queries = useQueryClient();
  return (
    <Link
      to="/"
      search={to}
      activeOptions={{ exact: true }}
      data-shown={isShown || undefined}
      // Whoever asks for a list means as it is now, not as it was on the way here.
      onClick={() => void queries.resetQueries(ordersQuery({ ...listedFilter(to) }))}
      className="flex min-h-8 shrink-0 items-center gap-1.5 rounded-md px-2 whitespace-nowrap text-ink-2 -outline-offset-2 hover:bg-hover data-shown:bg-accent-soft data-shown:text-accent"
    >
      {children}
      <span className={`num ${isShown ? "" : "text-ink-3"}`}>{number}</span>
    </Link>
  );
}
