import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { overviewQuery } from "../../api/page-queries.ts";
import type { Overview } from "../../api/types.ts";
import { useRefresh } from "../../live/use-refresh.ts";
import { Freshness } from "../../ui/freshness.tsx";
import { ProblemNotice } from "../../ui/notice.tsx";
import { Page, Panel } from "../../ui/page.tsx";
import { segmentClass, Segments } from "../../ui/segments.tsx";
import { Skeleton } from "../../ui/skeleton.tsx";
import { Hours } from "./hours.tsx";
import { Legs } from "./legs.tsx";
import { OldestWithoutTickets } from "./oldest.tsx";
import { OverviewNotices } from "./overview-notices.tsx";
import { PartnersHealth } from "./partners-health.tsx";
import { VisitsWithoutTickets } from "./visits.tsx";

const route = getRouteApi("/overview");
const REFRESH_MS = 10_000;

/** How all fares: what an operator looks at first. */
export function OverviewPage() {
  const { hours = 24 } = route.useSearch();
  const query = useQuery({ ...overviewQuery(hours), placeholderData: keepPreviousData });
  useRefresh(query, REFRESH_MS);
  return (
    <Page title="Overview" aside={<Freshness countedAt={query.dataUpdatedAt} />}>
      {query.isError && <ProblemNotice error={query.error} onRetry={() => void query.refetch()} />}
      {query.data && <Told told={query.data} hours={hours} />}
      {query.isPending && <Waiting />}
    </Page>
  );
}

function Told({ told, hours }: { readonly told: Overview; readonly hours: number }) {
  return (
    <>
      <OverviewNotices told={told} />
      <div className="grid gap-4 sm:grid-cols-2 lg:grid-cols-3">
        {told.visits.map((visits, day) => (
          <VisitsWithoutTickets
            key={visits.date}
            visits={visits}
            day={day === 0 ? "today" : "tomorrow"}
            atLeast={told.at_least}
          />
        ))}
        <OldestWithoutTickets oldest={told.oldest_not_ticketed} />
      </div>
      <Hours hours={told.hours} atLeast={told.at_least} aside={<HoursShown hours={hours} />} />
      <Legs told={told} />
      <PartnersHealth partners={told.partners} atLeast={told.at_least} />
    </>
  );
}

function HoursShown({ hours }: { readonly hours: number }) {
  return (
    <Segments label="Hours shown">
      <Link
        to="/overview"
        search={{}}
        activeOptions={{ exact: true }}
        aria-current={hours === 24 && "true"}
        className={segmentClass(hours === 24)}
      >
        24 h
      </Link>
      <Link
        to="/overview"
        search={{ hours: 48 }}
        activeOptions={{ exact: true }}
        aria-current={hours === 48 && "true"}
        className={segmentClass(hours === 48)}
      >
        48 h
      </Link>
    </Segments>
  );
}

/** Where all will stand. */
function Waiting() {
  return (
    <>
      <div className="grid gap-4 sm:grid-cols-2 lg:grid-cols-3">
        {["Visits today", "Visits tomorrow", "Oldest without tickets"].map((title) => (
          <Panel key={title} title={title}>
            <Skeleton rows={3} />
          </Panel>
        ))}
      </div>
      <Panel title="By the hour">
        <Skeleton rows={7} />
      </Panel>
    </>
  );
}
