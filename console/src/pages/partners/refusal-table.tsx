import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { count } from "../../format/words.ts";
import { Button } from "../../ui/button.tsx";
import { Copyable } from "../../ui/copy.tsx";
import { ProblemNotice } from "../../ui/notice.tsx";
import { Skeleton } from "../../ui/skeleton.tsx";
import { Time } from "../../ui/time.tsx";
import type { RefusalWords } from "./refusal-words.ts";

export interface RefusalRow {
  readonly id: number;
  /** RFC 3339: of the last of them. */
  readonly at: string;
  /** As the request named it. */
  readonly partner: string;
  readonly subject: ReactNode;
  readonly words: RefusalWords;
  readonly detail: string | null;
  /** The status that was answered. */
  readonly answer: number;
  readonly ip: string | null;
  readonly count: number;
}

interface Props {
  /** Null: not read yet. */
  readonly rows: readonly RefusalRow[] | null;
  readonly query: {
    readonly isError: boolean;
    readonly error: unknown;
    readonly hasNextPage: boolean;
    readonly isFetchingNextPage: boolean;
    readonly refetch: () => Promise<unknown>;
    readonly fetchNextPage: () => Promise<unknown>;
  };
  readonly withPartner: boolean;
  /** What was refused. */
  readonly subject: string;
  readonly empty: ReactNode;
}

/** What was refused, newest first, with what has to be changed. */
export function RefusalTable({ rows, query, withPartner, subject, empty }: Props) {
  return (
    <>
      {query.isError && (
        <div className="p-3">
          <ProblemNotice error={query.error} onRetry={() => void query.refetch()} />
        </div>
      )}
      {rows === null && !query.isError && <Skeleton rows={5} />}
      {rows !== null && rows.length === 0 && empty}
      {rows !== null && rows.length > 0 && (
        <table className="w-full table-fixed">
          <thead className="text-xs text-ink-3">
            <tr className="border-b border-line">
              <th scope="col" className="hidden w-44 px-3 py-1.5 sm:table-cell">
                When
              </th>
              {withPartner && (
                <th scope="col" className="hidden w-32 py-1.5 pe-3 sm:table-cell">
                  Partner
                </th>
              )}
              <th scope="col" className="hidden w-36 py-1.5 pe-3 sm:table-cell">
                {subject}
              </th>
              <th scope="col" className="px-3 py-1.5 sm:px-0 sm:pe-3">
                What was wrong, and what has to change
              </th>
              <th scope="col" className="hidden w-36 py-1.5 pe-3 xl:table-cell">
                From
              </th>
              <th scope="col" className="w-16 py-1.5 pe-3 text-end">
                Times
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <Row key={row.id} row={row} withPartner={withPartner} />
            ))}
          </tbody>
        </table>
      )}
      {query.hasNextPage && (
        <div className="p-3">
          <Button busy={query.isFetchingNextPage && "Loading"} onClick={() => void query.fetchNextPage()}>
            Show more
          </Button>
        </div>
      )}
    </>
  );
}

function Row({ row, withPartner }: { readonly row: RefusalRow; readonly withPartner: boolean }) {
  const { words, detail, subject } = row;
  const from =
    row.ip === null ? (
      <span className="text-ink-3">Not known</span>
    ) : (
      <Copyable text={row.ip} what="address" />
    );
  const partner = <NamedPartner id={row.partner} />;
  return (
    <tr className="border-b border-line align-top last:border-0">
      <td className="hidden px-3 py-2 sm:table-cell">
        <Time at={row.at} />
      </td>
      {withPartner && <td className="hidden truncate py-2 pe-3 sm:table-cell">{partner}</td>}
      <td className="hidden py-2 pe-3 sm:table-cell">
        <div className="-mx-1 truncate px-1">{subject}</div>
      </td>
      <td className="px-3 py-2 sm:px-0 sm:pe-3">
        <div className="mb-0.5 flex flex-wrap items-center gap-x-3 text-xs sm:hidden">
          <Time at={row.at} />
          {withPartner && partner}
          <div className="-mx-1 max-w-full min-w-0 truncate px-1">{subject}</div>
        </div>
        <p className="font-medium">
          {words.what} <span className="num font-normal text-ink-3">{row.answer}</span>
        </p>
        {detail !== null && <p className="wrap-anywhere">{detail}</p>}
        <p className="text-ink-2">{words.advice}</p>
        <div className="mt-0.5 text-xs xl:hidden">{from}</div>
      </td>
      <td className="hidden py-2 pe-3 xl:table-cell">{from}</td>
      <td className="num py-2 pe-3 text-end">{count(row.count)}</td>
    </tr>
  );
}

const PARTNER_ID = /^[A-Za-z0-9._-]{1,64}$/;

/** Whoever sends may name anybody: what can't be a partner's id leads nowhere. */
function NamedPartner({ id }: { readonly id: string }) {
  if (id === "") return <span className="text-ink-3">Not named</span>;
  if (id === "*") return <span className="text-ink-3">Several</span>;
  if (!PARTNER_ID.test(id)) return <span title={id}>{id}</span>;
  return (
    <Link to="/partners/$id" params={{ id }} title={id} className="font-medium hover:underline">
      {id}
    </Link>
  );
}
