import { useQuery } from "@tanstack/react-query";
import { Link, useParams, useSearch } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";
import { partnerQuery } from "../../api/page-queries.ts";
import type { PartnerWithStanding } from "../../api/types.ts";
import { useRefresh } from "../../live/use-refresh.ts";
import { useMayAct } from "../../session/session.ts";
import { Button } from "../../ui/button.tsx";
import { Copyable } from "../../ui/copy.tsx";
import { ProblemNotice } from "../../ui/notice.tsx";
import { Page, Panel } from "../../ui/page.tsx";
import { Segments, segmentClass } from "../../ui/segments.tsx";
import { Skeleton } from "../../ui/skeleton.tsx";
import { AuthEventList } from "./auth-event-list.tsx";
import { PartnerFigures } from "./partner-figures.tsx";
import { PartnerNotices } from "./partner-notices.tsx";
import { PartnerSettings } from "./partner-settings.tsx";
import { PartnerState } from "./partner-state.tsx";
import { RefusalBox } from "./refusal-box.tsx";
import { RejectionList } from "./rejection-list.tsx";

const TestDialog = lazy(() =>
  import("./test-dialog.tsx").then(({ TestDialog }) => ({ default: TestDialog })),
);
const SwitchDialog = lazy(() =>
  import("./switch-dialog.tsx").then(({ SwitchDialog }) => ({ default: SwitchDialog })),
);

const REST_MS = 5_000;
const LONGEST_MS = 15_000;

/** One partner: how it fares, what was refused from it, how it is set up. */
export function PartnerPage() {
  const { id } = useParams({ from: "/partners/$id" });
  const query = useQuery(partnerQuery(id));
  useRefresh(query, REST_MS, LONGEST_MS);
  const partner = query.data;
  return (
    <Page title={partner?.name ?? id} aside={partner && <Acts partner={partner} />}>
      {query.isError && <ProblemNotice error={query.error} onRetry={() => void query.refetch()} />}
      {partner && (
        <>
          <p className="-mt-3 flex flex-wrap items-center gap-x-3">
            <Copyable text={partner.partner_id} what="partner id" />
            <PartnerState {...partner} />
          </p>
          <PartnerNotices partner={partner} />
          <PartnerFigures partner={partner} />
        </>
      )}
      <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,1fr)_20rem]">
        <Refused partner={id} />
        {partner ? (
          <PartnerSettings partner={partner} />
        ) : (
          !query.isError && (
            <Panel title="Settings">
              <Skeleton rows={8} />
            </Panel>
          )
        )}
      </div>
    </Page>
  );
}

/** "They say that they sent it, and we have nothing." It is shown for whoever was named, known here or not. */
function Refused({ partner }: { readonly partner: string }) {
  const { external_order_id: wanted = null, tab } = useSearch({ from: "/partners/$id" });
  const isDoor = tab === "door";
  return (
    <Panel
      title="Refused"
      aside={
        <Segments label="What was refused">
          <Link
            to="."
            search={(before) => ({ ...before, tab: undefined })}
            activeOptions={{ exact: true }}
            className={segmentClass(!isDoor)}
          >
            Orders
          </Link>
          <Link to="." search={{ tab: "door" }} className={segmentClass(isDoor)}>
            Turned away at the door
          </Link>
        </Segments>
      }
    >
      {isDoor ? (
        <AuthEventList partner={partner} />
      ) : (
        <>
          <div className="border-b border-line px-3 py-2">
            <RefusalBox />
          </div>
          <RejectionList partner={partner} externalOrderId={wanted} />
        </>
      )}
    </Panel>
  );
}

/** For those who may; all else of a partner is changed on the command line. */
function Acts({ partner }: { readonly partner: PartnerWithStanding }) {
  const mayAct = useMayAct();
  const [open, setOpen] = useState<"test" | "switch" | null>(null);
  const close = (): void => setOpen(null);
  if (!mayAct) return null;
  return (
    <div className="flex flex-wrap gap-2">
      <Button onClick={() => setOpen("test")}>Send a test callback</Button>
      <Button onClick={() => setOpen("switch")}>{partner.state === "enabled" ? "Disable" : "Enable"}</Button>
      <Suspense>
        {open === "test" && <TestDialog partner={partner} onClose={close} />}
        {open === "switch" && <SwitchDialog partner={partner} onClose={close} />}
      </Suspense>
    </div>
  );
}
