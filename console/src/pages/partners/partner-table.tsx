import { Link } from "@tanstack/react-router";
import { useRef } from "react";
import type { PartnerWithStanding } from "../../api/types.ts";
import { Column } from "../../ui/column.tsx";
import { useRowKeys } from "../../ui/row-keys.ts";
import { FailedCallbacks, Moment, OrdersOfDay, Quiet, StoppedOrders, upTo } from "./partner-links.tsx";
import { CallbackCircuit, PartnerState } from "./partner-state.tsx";

const CELL = "px-2 py-1.5 first:ps-3 last:pe-3";
const NUMBER = `${CELL} text-end`;
/** What a narrow screen does without, the least telling first. */
const FROM_SM = "hidden sm:table-cell";
const FROM_MD = "hidden md:table-cell";
const FROM_LG = "hidden lg:table-cell";
const FROM_XL = "hidden xl:table-cell";

/** Who sends orders, and how each fares. */
export function PartnerTable({ partners }: { readonly partners: readonly PartnerWithStanding[] }) {
  const body = useRef<HTMLTableSectionElement>(null);
  useRowKeys(body);
  return (
    <table className="w-full">
      <thead className="text-xs text-ink-3">
        <tr className="border-b border-line align-bottom">
          <Column>Partner</Column>
          <Column className={FROM_SM}>State</Column>
          <Column numbers>
            Need attention <span className="block whitespace-nowrap">at ticketing</span>
          </Column>
          <Column numbers>
            Need attention <span className="block whitespace-nowrap">at callbacks</span>
          </Column>
          <Column className={FROM_SM}>Callbacks</Column>
          <Column numbers className={FROM_MD}>
            Failed <span className="block whitespace-nowrap">callbacks, 24 h</span>
          </Column>
          <Column numbers className={FROM_MD}>
            Refused <span className="block whitespace-nowrap">24 h</span>
          </Column>
          <Column numbers className={FROM_LG}>
            Orders <span className="block whitespace-nowrap">24 h</span>
          </Column>
          <Column className={FROM_LG}>Last order</Column>
          <Column className={FROM_XL}>Last seen</Column>
        </tr>
      </thead>
      <tbody ref={body}>
        {partners.map((partner) => (
          <Row key={partner.partner_id} partner={partner} />
        ))}
      </tbody>
    </table>
  );
}

function Row({ partner }: { readonly partner: PartnerWithStanding }) {
  const { partner_id: id, name, last_day: day } = partner;
  return (
    <tr className="border-b border-line last:border-0 hover:bg-hover focus-within:bg-hover">
      <th scope="row" className={`${CELL} w-full max-w-0 sm:w-auto sm:max-w-80`}>
        <Link
          to="/partners/$id"
          params={{ id }}
          data-row
          title={`${name} (${id})`}
          className="flex min-w-0 flex-wrap items-baseline gap-x-2 leading-6 hover:underline sm:flex-nowrap"
        >
          <span className="min-w-0 truncate font-medium">{name}</span>
          <span className="min-w-16 truncate font-mono text-xs font-normal text-ink-3">{id}</span>
        </Link>
        {(partner.state === "disabled" || partner.circuit !== null) && (
          <div className="flex flex-wrap gap-x-3 gap-y-1 font-normal sm:hidden">
            {partner.state === "disabled" && <PartnerState {...partner} />}
            {partner.circuit !== null && <CallbackCircuit {...partner} />}
          </div>
        )}
      </th>
      <td className={`${CELL} ${FROM_SM}`}>
        <PartnerState {...partner} />
      </td>
      <td className={NUMBER}>
        <StoppedOrders partner={partner} leg="ticketing" />
      </td>
      <td className={NUMBER}>
        <StoppedOrders partner={partner} leg="callback" />
      </td>
      <td className={`${CELL} ${FROM_SM}`}>
        <CallbackCircuit {...partner} />
      </td>
      <td className={`${NUMBER} ${FROM_MD}`}>
        <FailedCallbacks id={id} value={day.failed_callbacks} />
      </td>
      <td className={`${NUMBER} ${FROM_MD}`}>
        {day.refused_requests === 0 ? (
          <Quiet />
        ) : (
          <Link
            to="/partners/$id"
            params={{ id }}
            aria-label={`${upTo(day.refused_requests)} refused in 24 hours`}
            className="num -mx-1 inline-flex min-h-6 min-w-6 items-center justify-end rounded px-1 text-wait underline decoration-line-strong hover:bg-hover"
          >
            {upTo(day.refused_requests)}
          </Link>
        )}
      </td>
      <td className={`${NUMBER} ${FROM_LG}`}>
        <OrdersOfDay partner={partner} />
      </td>
      <td className={`${CELL} ${FROM_LG}`}>
        <Moment at={partner.last_order_at} />
      </td>
      <td className={`${CELL} ${FROM_XL}`}>
        <Moment at={partner.last_seen_at} />
      </td>
    </tr>
  );
}
