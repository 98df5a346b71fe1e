import type { Leg, Overview } from "../../api/types.ts";
import { duration } from "../../format/time.ts";
import { count, counted } from "../../format/words.ts";
import { Column } from "../../ui/column.tsx";
import { Panel } from "../../ui/page.tsx";
import { Circuit } from "./circuit.tsx";
import { FailuresLink, OrdersLink } from "../../ui/count-links.tsx";
import { OF_LEG } from "../../search/status-sets.ts";

const NAMES: Record<Leg, string> = { ticketing: "Ticketing", callback: "Callbacks" };

/** How quick both legs are, what fails at them, and what waits before them. */
export function Legs({ told }: { readonly told: Overview }) {
  return (
    <Panel title="Ticketing and callbacks">
      <table className="w-full">
        <thead className="text-xs text-ink-3">
          <tr className="align-bottom">
            <Column>Leg</Column>
            <Column className="max-sm:hidden">Requests</Column>
            <Column numbers className="max-md:hidden">
              Half within (p50)
            </Column>
            <Column numbers className="max-md:hidden">
              95 % within (p95)
            </Column>
            <Column numbers>{"Failed in 1\u00a0h"}</Column>
            <Column numbers>Waiting</Column>
            <Column numbers>Need attention</Column>
          </tr>
        </thead>
        <tbody>
          <LegRow leg="ticketing" told={told} />
          <LegRow leg="callback" told={told} />
        </tbody>
      </table>
    </Panel>
  );
}

const CELL = "px-2 py-1 text-end last:pe-3";

function LegRow({ leg, told }: { readonly leg: Leg; readonly told: Overview }) {
  const health = leg === "ticketing" ? told.ticketing : told.callbacks;
  const { attempts, p50_ms: half, p95_ms: most } = told.latency[leg];
  const open = told.partners.filter(({ callbacks }) => callbacks.circuit === "open").length;
  const isMeasured = half !== null && most !== null;
  const from = `Of the latest ${count(attempts)} attempts`;
  return (
    <tr className="border-t border-line">
      <th scope="row" className="py-1.5 ps-3 pe-2">
        {NAMES[leg]}
        <span className="num block text-xs font-normal text-ink-3 md:hidden">
          {isMeasured ? `half within ${duration(half)}, 95 % within ${duration(most)}` : "no attempts yet"}
        </span>
      </th>
      <td className="px-2 py-1 max-sm:hidden">
        {leg === "ticketing" ? (
          <Circuit isOpen={told.ticketing.circuit === "open"} />
        ) : (
          <Circuit isOpen={open > 0} word={`Held back for ${counted(open, "partner")}`} />
        )}
      </td>
      <td className={`${CELL} num max-md:hidden`} title={from}>
        {half === null ? "–" : duration(half)}
      </td>
      <td className={`${CELL} num max-md:hidden`} title={from}>
        {most === null ? "–" : duration(most)}
      </td>
      <td className={CELL}>
        <FailuresLink value={health.failures_last_hour} atLeast={told.at_least} search={{ leg }} />
      </td>
      <td className={CELL}>
        <OrdersLink value={health.waiting} atLeast={told.at_least} search={{ status: OF_LEG[leg].waiting }} />
      </td>
      <td className={CELL}>
        <OrdersLink
          value={health.standing}
          atLeast={told.at_least}
          search={{ status: OF_LEG[leg].standing }}
          tone="stop"
        />
      </td>
    </tr>
  );
}
