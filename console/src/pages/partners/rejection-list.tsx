import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { rejectionsQuery } from "../../api/page-queries.ts";
import type { Rejection } from "../../api/types.ts";
import { useRefresh } from "../../live/use-refresh.ts";
import { Copyable } from "../../ui/copy.tsx";
import { Empty } from "../../ui/empty.tsx";
import { CheckIcon, SearchIcon } from "../../ui/icons.tsx";
import { RefusalTable, type RefusalRow } from "./refusal-table.tsx";
import { detailOf, wordsOfRejection } from "./refusal-words.ts";

interface Props {
  /** Null: of all, each named. */
  readonly partner: string | null;
  /** Null: whatever it was. */
  readonly externalOrderId: string | null;
}

const REFRESH_MS = 5_000;

/** Orders that were refused, newest first: what was wrong, and what their sender has to change. */
export function RejectionList({ partner, externalOrderId }: Props) {
  const query = useInfiniteQuery(rejectionsQuery({ partner, external_order_id: externalOrderId }));
  // Who reads further back isn't moved.
  const isBrowsing = (query.data?.pages.length ?? 0) > 1;
  useRefresh({ ...query, isFetching: query.isFetching || isBrowsing }, REFRESH_MS);
  return (
    <RefusalTable
      query={query}
      rows={query.data?.pages.flatMap(({ rejections }) => rejections.map(rowOf)) ?? null}
      withPartner={partner === null}
      subject="Order"
      empty={externalOrderId === null ? <NothingRefused /> : <NotFound wanted={externalOrderId} />}
    />
  );
}

function rowOf(rejection: Rejection): RefusalRow {
  const { id, at, partner_id, ip, count, status, external_order_id: external } = rejection;
  return {
    id,
    at,
    partner: partner_id,
    ip,
    count,
    answer: status,
    words: wordsOfRejection(rejection),
    detail: detailOf(rejection),
    subject:
      external === null ? (
        <span className="text-ink-3">Not known</span>
      ) : (
        <Copyable text={external} what="external id" />
      ),
  };
}

function NothingRefused() {
  return (
    <Empty Icon={CheckIcon} title="No order was refused">
      Orders that were answered with an error stand here, with what their sender has to change.
    </Empty>
  );
}

function NotFound({ wanted }: { readonly wanted: string }) {
  return (
    <Empty Icon={SearchIcon} title={`No refusal of ${short(wanted)} is on record`}>
      <p>
        Perhaps it was accepted:{" "}
        <Link to="/" search={{ q: wanted }} className="text-accent underline">
          look among the orders
        </Link>
        . Or it never came here, or its body couldn't be read: then it stands without an id in its partner's
        list.
      </p>
    </Empty>
  );
}

const MAX_CHARS = 40;
const short = (text: string): string => (text.length > MAX_CHARS ? `${text.slice(0, MAX_CHARS)}…` : text);
