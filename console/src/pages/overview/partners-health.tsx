import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { Overview } from "../../api/types.ts";
import { count } from "../../format/words.ts";
import { Button } from "../../ui/button.tsx";
import { Column } from "../../ui/column.tsx";
import { Panel } from "../../ui/page.tsx";
import { ATTENTION, WAITING } from "../../search/status-sets.ts";
import { Badge } from "../../ui/status.tsx";
import { useSteady } from "../../ui/use-steady.ts";
import { Circuit } from "./circuit.tsx";
import { FailuresLink, OrdersLink } from "../../ui/count-links.tsx";

type Partner = Overview["partners"][number];
type Counts = Partner["ticketing"];

/** Shown at once: those who have trouble are among them. */
const SHOWN = 20;

interface Props {
  readonly partners: readonly Partner[];
  readonly atLeast: boolean;
}

/** How each partner fares, those in trouble first. */
export function PartnersHealth({ partners, atLeast }: Props) {
  const [isAll, setAll] = useState(false);
  const [sorted, listeners] = useSteady(partners.toSorted(byTrouble), ({ id }) => id);
  const shown = isAll ? sorted : sorted.slice(0, SHOWN);
  return (
    <Panel title="Partners">
      <table className="w-full table-fixed" {...listeners}>
        <thead className="text-xs text-ink-3">
          <tr className="align-bottom">
            <Column className="w-2/5">Partner</Column>
            <Column className="max-sm:hidden">Callbacks</Column>
            <Column numbers>{"Failed in 1\u00a0h"}</Column>
            <Column numbers>Waiting</Column>
            <Column numbers>Need attention</Column>
          </tr>
        </thead>
        <tbody>
          {shown.map((partner) => (
            <PartnerRow key={partner.id} partner={partner} atLeast={atLeast} />
          ))}
        </tbody>
      </table>
      {shown.length < sorted.length && (
        <div className="border-t border-line p-2">
          <Button kind="quiet" onClick={() => setAll(true)}>
            Show all {count(sorted.length)} partners
          </Button>
        </div>
      )}
    </Panel>
  );
}

function PartnerRow({ partner, atLeast }: { readonly partner: Partner; readonly atLeast: boolean }) {
  const { id, name, disabled_at, callbacks } = partner;
  const isHeld = callbacks.circuit === "open";
  return (
    <tr className="border-t border-line hover:bg-hover">
      <th scope="row" className="px-3 py-1 font-normal">
        <div className="flex flex-wrap items-center gap-x-2">
          <Link
            to="/partners/$id"
            params={{ id }}
            title={name}
            className="max-w-full truncate py-0.5 font-medium underline decoration-line-strong hover:decoration-current"
          >
            {name}
          </Link>
          <code className="max-w-full truncate text-xs text-ink-3" title={id}>
            {id}
          </code>
          {disabled_at !== null && <Badge tone="rest">Disabled</Badge>}
          {isHeld && (
            <span className="sm:hidden">
              <Circuit isOpen word="Callbacks held back" />
            </span>
          )}
        </div>
      </th>
      <td className="px-2 py-1 max-sm:hidden">
        <Circuit isOpen={isHeld} />
      </td>
      <td className="px-2 py-1 text-end">
        <FailuresLink
          value={sumOf(partner, "failures_last_hour")}
          atLeast={atLeast}
          search={{ partner: id }}
        />
      </td>
      <td className="px-2 py-1 text-end">
        <OrdersLink
          value={sumOf(partner, "waiting")}
          atLeast={atLeast}
          search={{ partner: id, status: WAITING }}
        />
      </td>
      <td className="px-3 py-1 text-end">
        <OrdersLink
          value={sumOf(partner, "standing")}
          atLeast={atLeast}
          search={{ partner: id, status: ATTENTION }}
          tone="stop"
        />
      </td>
    </tr>
  );
}

function sumOf({ ticketing, callbacks }: Partner, name: keyof Counts): number {
  return ticketing[name] + callbacks[name];
}

function byTrouble(one: Partner, other: Partner): number {
  const isOpen = ({ callbacks }: Partner): number => Number(callbacks.circuit === "open");
  const more = (name: keyof Counts): number => sumOf(other, name) - sumOf(one, name);
  return isOpen(other) - isOpen(one) || more("standing") || more("waiting") || more("failures_last_hour");
}
