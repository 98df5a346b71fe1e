import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { errorsQuery } from "../../api/page-queries.ts";
import type { ErrorGroup, ErrorGroups } from "../../api/types.ts";
import type { ErrorsSearch } from "../../search/errors-search.ts";
import { useRefresh } from "../../live/use-refresh.ts";
import { Empty } from "../../ui/empty.tsx";
import { Freshness } from "../../ui/freshness.tsx";
import { CheckIcon } from "../../ui/icons.tsx";
import { ProblemNotice } from "../../ui/notice.tsx";
import { Page, Panel } from "../../ui/page.tsx";
import { Skeleton } from "../../ui/skeleton.tsx";
import { Time } from "../../ui/time.tsx";
import { ErrorFilters } from "./error-filters.tsx";
import { ErrorTable } from "./error-table.tsx";

const route = getRouteApi("/errors");
const REST_MS = 10_000;
const LONGEST_MS = 30_000;
/** A group names no more of its partners: there may be others. */
const MOST_PARTNERS = 10;

/** What fails, in groups of one cause: those with the most orders first. */
export function ErrorsPage() {
  const search = route.useSearch();
  const query = useQuery({
    ...errorsQuery(search.since ?? "24h"),
    placeholderData: keepPreviousData,
  });
  useRefresh(query, REST_MS, LONGEST_MS);
  const all = query.data?.groups ?? [];
  return (
    <Page title="Errors" aside={<Freshness countedAt={query.dataUpdatedAt} />}>
      {query.isError && <ProblemNotice error={query.error} onRetry={() => void query.refetch()} />}
      <ErrorFilters search={search} groups={all} />
      {(query.isPending || query.data) && (
        <Panel>
          {query.data ? (
            <Found told={query.data} groups={all.filter(isMeantBy(search))} search={search} />
          ) : (
            <Skeleton rows={6} />
          )}
        </Panel>
      )}
    </Page>
  );
}

const isMeantBy =
  ({ leg, partner }: ErrorsSearch) =>
  (group: ErrorGroup): boolean =>
    (leg === undefined || group.leg === leg) &&
    (partner === undefined || group.partners.includes(partner) || group.partners.length >= MOST_PARTNERS);

interface FoundProps {
  readonly told: ErrorGroups;
  readonly groups: readonly ErrorGroup[];
  readonly search: ErrorsSearch;
}

function Found({ told, groups, search }: FoundProps) {
  if (groups.length > 0) return <ErrorTable groups={groups} told={told} partner={search.partner} />;
  const { leg: _, partner: __, ...all } = search;
  return (
    <Empty Icon={CheckIcon} title={told.groups.length > 0 ? "Nothing of that kind fails" : "Nothing fails"}>
      <p>
        No order needs attention or waits for another attempt, and no attempt has failed since{" "}
        <Time at={told.since} />.
      </p>
      {told.groups.length > 0 && (
        <p className="mt-2">
          <Link to="/errors" search={all} className="text-accent underline">
            Show what else does
          </Link>
        </p>
      )}
    </Empty>
  );
}
