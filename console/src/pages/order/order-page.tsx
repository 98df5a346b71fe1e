import { Link, useParams, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { ApiProblem } from "../../api/client.ts";
import type { OrderStory } from "../../api/types.ts";
import { Empty } from "../../ui/empty.tsx";
import { DoubtIcon } from "../../ui/icons.tsx";
import { ProblemNotice } from "../../ui/notice.tsx";
import { Page, Panel } from "../../ui/page.tsx";
import { Skeleton } from "../../ui/skeleton.tsx";
import { OrderFacts } from "./order-facts.tsx";
import { OrderHead } from "./order-head.tsx";
import { OrderTabs } from "./order-tabs.tsx";
import { useLiveOrder } from "./use-live-order.ts";

/** Of those that a number holds exactly. */
const ORDER_ID = /^[1-9]\d{0,14}$/;

/** Where one order is, what happened to it, and what can be done. */
export function OrderPage() {
  const { id } = useParams({ from: "/orders/$id" });
  // Another order is another page: nothing that was revealed or opened stays.
  return ORDER_ID.test(id) ? <OrderById key={id} id={Number(id)} /> : <NoSuchOrder given={id} />;
}

function OrderById({ id }: { readonly id: number }) {
  const { tab = "timeline" } = useSearch({ from: "/orders/$id" });
  const { data: story, isError, error, refetch } = useLiveOrder(id);
  // Never in the cache of queries: it is gone with this page.
  const [revealed, setRevealed] = useState<OrderStory | null>(null);

  if (!story && error instanceof ApiProblem && error.status === 404) return <NoSuchOrder given={`${id}`} />;
  if (!story) {
    return (
      <Page title={`Order ${id}`} quiet>
        {isError ? (
          <ProblemNotice error={error} onRetry={() => void refetch()} />
        ) : (
          <Panel>
            <Skeleton rows={8} label="Loading the order" />
          </Panel>
        )}
      </Page>
    );
  }
  return (
    <Page title={`Order ${story.order.external_order_id}`} quiet>
      {isError && <ProblemNotice error={error} onRetry={() => void refetch()} />}
      <OrderHead story={story} />
      <div className="grid items-start gap-4 lg:grid-cols-[minmax(0,1fr)_19rem]">
        <OrderTabs story={story} tab={tab} revealed={revealed} onReveal={setRevealed} />
        <OrderFacts story={story} />
      </div>
    </Page>
  );
}

function NoSuchOrder({ given }: { readonly given: string }) {
  return (
    <Page title="No such order" quiet>
      <Empty Icon={DoubtIcon} title={`There is no order ${given.slice(0, 40)}`}>
        The number is the gateway's own. By the partner's id, a trace id, a reference or a ticket code it is
        found with the search above, or among{" "}
        <Link to="/" search={{ view: "all" }} className="text-accent underline">
          all orders
        </Link>
        . Orders that were kept for long enough are deleted.
      </Empty>
    </Page>
  );
}
