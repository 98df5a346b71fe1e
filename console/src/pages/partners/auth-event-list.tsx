import { useInfiniteQuery } from "@tanstack/react-query";
import { authEventsQuery } from "../../api/page-queries.ts";
import type { AuthEvent } from "../../api/types.ts";
import { useRefresh } from "../../live/use-refresh.ts";
import { Empty } from "../../ui/empty.tsx";
import { CheckIcon } from "../../ui/icons.tsx";
import { type RefusalRow, RefusalTable } from "./refusal-table.tsx";
import { DOOR } from "./refusal-words.ts";

const REFRESH_MS = 5_000;

/** Requests of any kind that weren't let in, counted by minute. */
export function AuthEventList({ partner }: { readonly partner: string }) {
  const query = useInfiniteQuery(authEventsQuery({ partner }));
  const isBrowsing = (query.data?.pages.length ?? 0) > 1;
  useRefresh({ ...query, isFetching: query.isFetching || isBrowsing }, REFRESH_MS);
  return (
    <RefusalTable
      query={query}
      rows={query.data?.pages.flatMap((page) => page.auth_events.map(rowOf)) ?? null}
      withPartner={false}
      subject="Program"
      empty={
        <Empty Icon={CheckIcon} title="Nobody was turned away under this name">
          Requests with a wrong token, or from an address that isn't allowed, are counted here by the minute.
        </Empty>
      }
    />
  );
}

function rowOf({ id, last_at, partner_id, ip, count, reason, user_agent: program }: AuthEvent): RefusalRow {
  return {
    id,
    at: last_at,
    partner: partner_id,
    ip,
    count,
    answer: reason === "ip_not_allowed" ? 403 : 401,
    words: DOOR[reason],
    detail: null,
    subject:
      program === null ? (
        <span className="text-ink-3">Not said</span>
      ) : (
        <span title={program} className="block truncate">
          {program}
        </span>
      ),
  };
}
