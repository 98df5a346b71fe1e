import type { ReactNode } from "react";
import type { PartnerWithStanding } from "../../api/types.ts";
import { FailedCallbacks, Moment, OrdersOfDay, Quiet, StoppedOrders, upTo } from "./partner-links.tsx";

/** How a partner fares: what stands still first, as somebody has to act on it. */
export function PartnerFigures({ partner }: { readonly partner: PartnerWithStanding }) {
  const { partner_id: id, last_day: day } = partner;
  return (
    <dl className="flex flex-wrap gap-px overflow-hidden rounded-lg border border-line bg-line">
      <Figure label="Need attention at ticketing">
        <StoppedOrders partner={partner} leg="ticketing" />
      </Figure>
      <Figure label="Callbacks need attention">
        <StoppedOrders partner={partner} leg="callback" />
      </Figure>
      <Figure label="Failed callbacks, 24 h">
        <FailedCallbacks id={id} value={day.failed_callbacks} />
      </Figure>
      <Figure label="Refused, 24 h">
        <Worrying value={day.refused_requests} />
      </Figure>
      <Figure label="Orders, 24 h">
        <OrdersOfDay partner={partner} />
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
