import type { ReactNode } from "react";
import type { PartnerWithStanding } from "../../api/types.ts";
import { useNow } from "../../preferences/use-now.ts";
import { OF_LEG } from "../../search/status-sets.ts";
import { Time } from "../../ui/time.tsx";
import { dayAgo, FailedCallbacks, OrdersNumber, Quiet, upTo } from "./partner-links.tsx";

/** How a partner fares: what stands still first, as somebody has to act on it. */
export function PartnerFigures({ partner }: { readonly partner: PartnerWithStanding }) {
  const { partner_id: id, stopped, last_day: day } = partner;
  const since = dayAgo(useNow());
  return (
    <dl className="flex flex-wrap gap-px overflow-hidden rounded-lg border border-line bg-line">
      <Figure label="Need attention at ticketing">
        <OrdersNumber
          bad
          value={stopped.ticketing}
          label="need attention at ticketing"
          search={{ partner: id, status: OF_LEG.ticketing.standing }}
        />
      </Figure>
      <Figure label="Callbacks need attention">
        <OrdersNumber
          bad
          value={stopped.callbacks}
          label="need attention at their callback"
          search={{ partner: id, status: OF_LEG.callback.standing }}
        />
      </Figure>
      <Figure label="Failed callbacks, 24 h">
        <FailedCallbacks id={id} value={day.failed_callbacks} />
      </Figure>
      <Figure label="Refused, 24 h">
        <Worrying value={day.refused_requests} />
      </Figure>
      <Figure label="Orders, 24 h">
        <OrdersNumber
          value={day.orders}
          label="accepted in 24 hours"
          search={{ partner: id, view: "all", created_from: since }}
        />
      </Figure>
      <Figure label="Last order" small>
        <Moment at={partner.last_order_at} />
      </Figure>
      <Figure label="Last seen" small>
        <Moment at={partner.last_seen_at} />
      </Figure>
    </dl>
  );
}

interface FigureProps {
  readonly label: string;
  /** A time is longer than a number. */
  readonly small?: boolean;
  readonly children: ReactNode;
}

function Figure({ label, small = false, children }: FigureProps) {
  return (
    <div className="flex-1 basis-36 bg-panel px-3 py-2">
      <dt className="text-xs text-ink-3">{label}</dt>
      <dd className={`flex min-h-7 items-center [&_a]:justify-start ${small ? "text-sm" : "text-lg"}`}>
        {children}
      </dd>
    </div>
  );
}

function Worrying({ value }: { readonly value: number }) {
  return value === 0 ? <Quiet /> : <span className="num font-medium text-wait">{upTo(value)}</span>;
}

function Moment({ at }: { readonly at: string | null }) {
  return at === null ? <span className="text-ink-3">Never</span> : <Time at={at} />;
}
