import { lazy, Suspense, useRef, useState } from "react";
import type { ErrorGroup, ErrorGroups } from "../../api/types.ts";
import { useMayAct } from "../../session/session.ts";
import { useKeys } from "../../ui/keys.ts";
import { useRowKeys } from "../../ui/row-keys.ts";
import { useSteady } from "../../ui/use-steady.ts";
import { type Columns, useColumns } from "./error-columns.ts";
import { ErrorRow } from "./error-row.tsx";
import { titleOf } from "./error-words.ts";
import { ordersOfGroup } from "./orders-of-group.ts";

const loadDialog = () => import("../../acts/bulk-dialog.tsx");
const BulkDialog = lazy(() => loadDialog().then(({ BulkDialog }) => ({ default: BulkDialog })));

interface Props {
  readonly groups: readonly ErrorGroup[];
  readonly told: ErrorGroups;
  /** The only one that is meant, of each group too. */
  readonly partner: string | undefined;
}

export function ErrorTable({ groups, told, partner }: Props) {
  const table = useRef<HTMLTableElement>(null);
  const mayAct = useMayAct();
  const [retried, setRetried] = useState<ErrorGroup | null>(null);
  const [rows, listeners] = useSteady(groups, ({ fingerprint }) => fingerprint);
  const columns = useColumns();
  useRowKeys(table);
  useKeys({
    r() {
      const focused = document.activeElement?.closest("tr")?.dataset["group"];
      const group = rows.find(({ fingerprint }) => fingerprint === focused);
      if (mayAct && group && group.standing > 0) setRetried(group);
    },
  });
  return (
    <>
      <table ref={table} className="w-full table-fixed" {...listeners}>
        <Head {...columns} />
        <tbody>
          {rows.map((group) => (
            <ErrorRow
              key={group.fingerprint}
              group={group}
              columns={columns}
              atLeast={told.at_least}
              partner={partner}
              onRetry={mayAct ? () => setRetried(group) : null}
              onRetryNear={() => void loadDialog()}
            />
          ))}
        </tbody>
      </table>
      {told.at_least && (
        <p className="border-t border-line px-3 py-2 text-ink-2">
          There is more than was worth looking at: figures with ≥ are lower bounds, and small groups may be
          missing.
        </p>
      )}
      <Suspense>
        {retried && (
          <BulkDialog
            action="retry"
            filter={{ ...ordersOfGroup(retried, partner) }}
            title={`Retry: ${titleOf(retried)}`}
            onClose={() => setRetried(null)}
          />
        )}
      </Suspense>
    </>
  );
}

const NUMBER = "w-16 py-1.5 pe-2 text-end";

function Head({ isNarrow, hasActs }: Columns) {
  return (
    <thead className="text-xs text-ink-3">
      <tr className="align-bottom">
        <th scope="col" className="py-1.5 ps-15 pe-2">
          Error
        </th>
        <th scope="col" className={`${NUMBER} lg:w-28`}>
          Need attention
        </th>
        <th scope="col" className={`${NUMBER} lg:w-20`}>
          Waiting
        </th>
        {!isNarrow && (
          <>
            <th scope="col" className={`${NUMBER} max-lg:hidden lg:w-20`}>
              Attempts
            </th>
            <th scope="col" className="w-32 px-2 py-1.5 max-lg:hidden">
              Partners
            </th>
            <th scope="col" className="w-30 px-2 py-1.5 lg:w-32">
              Last seen
            </th>
          </>
        )}
        {hasActs && (
          <th scope="col" className="w-28 py-1.5 pe-3">
            <span className="sr-only">Act</span>
          </th>
        )}
      </tr>
    </thead>
  );
}
