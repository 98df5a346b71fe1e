import { useInfiniteQuery } from "@tanstack/react-query";
import { useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { partnersQuery } from "../../api/page-queries.ts";
import type { PartnerWithStanding } from "../../api/types.ts";
import { counted } from "../../format/words.ts";
import { useRefresh } from "../../live/use-refresh.ts";
import { Button } from "../../ui/button.tsx";
import { Input } from "../../ui/field.tsx";
import { Freshness } from "../../ui/freshness.tsx";
import { ProblemNotice } from "../../ui/notice.tsx";
import { Page, Panel } from "../../ui/page.tsx";
import { Skeleton } from "../../ui/skeleton.tsx";
import { NoPartners } from "./no-partners.tsx";
import { isInTrouble } from "./partner-state.tsx";
import { PartnerTable } from "./partner-table.tsx";
import { RefusalBox } from "./refusal-box.tsx";
import { RejectionList } from "./rejection-list.tsx";

const REST_MS = 5_000;
const LONGEST_MS = 15_000;
/** Beyond so many a list is looked through rather than read. */
const FEW = 12;

/** Who sends orders, how each fares, and whether an order was refused. */
export function PartnersPage() {
  const { external_order_id: wanted } = useSearch({ from: "/partners" });
  const query = useInfiniteQuery(partnersQuery);
  useRefresh(query, REST_MS, LONGEST_MS);
  const partners = query.data?.pages.flat() ?? null;
  return (
    <Page title="Partners" aside={<Freshness countedAt={query.dataUpdatedAt} />}>
      <RefusalBox />
      {wanted !== undefined && (
        <Panel title={`Refused orders with external id ${wanted}`}>
          <RejectionList partner={null} externalOrderId={wanted} />
        </Panel>
      )}
      {query.isError && <ProblemNotice error={query.error} onRetry={() => void query.refetch()} />}
      {partners === null && !query.isError && (
        <Panel>
          <Skeleton rows={6} />
        </Panel>
      )}
      {partners !== null && partners.length === 0 && <NoPartners />}
      {partners !== null && partners.length > 0 && (
        <Partners partners={partners} hasMore={query.hasNextPage} />
      )}
      {query.hasNextPage && (
        <div>
          <Button busy={query.isFetchingNextPage && "Loading"} onClick={() => void query.fetchNextPage()}>
            Show more
          </Button>
        </div>
      )}
    </Page>
  );
}

interface PartnersProps {
  readonly partners: readonly PartnerWithStanding[];
  readonly hasMore: boolean;
}

function Partners({ partners, hasMore }: PartnersProps) {
  const [text, setText] = useState("");
  const shown = partners.filter((each) => matches(each, text));
  const troubled = partners.filter(isInTrouble).length;
  return (
    <Panel
      title={`${counted(partners.length, "partner")}${hasMore ? " so far" : ""}${troubled > 0 ? `, ${troubled} ${troubled === 1 ? "needs" : "need"} attention` : ""}`}
      aside={
        partners.length > FEW && (
          <div className="w-56">
            <Input
              type="search"
              aria-label={hasMore ? "Filter the partners that are shown so far" : "Filter by name or id"}
              placeholder="Filter by name or id"
              value={text}
              onChange={(event) => setText(event.target.value)}
            />
          </div>
        )
      }
    >
      {shown.length > 0 ? (
        <PartnerTable partners={shown} />
      ) : (
        <p role="status" className="px-3 py-6 text-ink-2">
          None of {hasMore ? "those that are shown so far" : "them"} has this in its name or id.
        </p>
      )}
    </Panel>
  );
}

function matches({ partner_id: id, name }: PartnerWithStanding, text: string): boolean {
  const wanted = text.trim().toLowerCase();
  return id.toLowerCase().includes(wanted) || name.toLowerCase().includes(wanted);
}
