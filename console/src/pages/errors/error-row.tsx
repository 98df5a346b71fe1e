import { Link } from "@tanstack/react-router";
import { useId, useState } from "react";
import { OF_LEG } from "../../search/status-sets.ts";
import { OrdersLink } from "../../ui/count-links.tsx";
import { Figure } from "../../ui/figure.tsx";
import { CheckIcon, ChevronIcon, ClockIcon, StopIcon } from "../../ui/icons.tsx";
import { TONE_TEXT } from "../../ui/status.tsx";
import { FromNow } from "../../ui/time.tsx";
import { ErrorDetails } from "./error-details.tsx";
import type { Columns } from "./error-columns.ts";
import { ErrorRetry, type RetryProps } from "./error-retry.tsx";
import { ErrorSaid } from "./error-said.tsx";
import { titleOf } from "./error-words.ts";
import { ordersOfGroup } from "./orders-of-group.ts";

interface Props extends RetryProps {
  readonly columns: Columns;
}

const NUMBER = "px-2 py-2 text-end align-top";
// The links are higher than their text.
const LINKED = "px-2 py-1 text-end align-top";
const STATES = [
  ["standing", "stop"],
  ["waiting", "wait"],
] as const;

/** A group: what was said, how much it holds up, and what can be done. More of it below, when asked for. */
export function ErrorRow(props: Props) {
  const { group, columns, atLeast, partner } = props;
  const { fingerprint, attempts, partners, last_seen, example_order_id } = group;
  const [isOpen, setOpen] = useState(false);
  const details = useId();
  return (
    <>
      <tr data-group={fingerprint} className="border-t border-line hover:bg-hover">
        <th scope="row" className="py-1.5 ps-2 pe-2 align-top font-normal">
          <div className="flex items-start gap-1.5">
            <button
              type="button"
              aria-expanded={isOpen}
              aria-controls={details}
              aria-label={`More of: ${titleOf(group)}`}
              onClick={() => setOpen(!isOpen)}
              className="grid size-6 shrink-0 place-items-center rounded text-ink-3 hover:bg-rest-soft hover:text-ink"
            >
              <ChevronIcon className={`size-4 ${isOpen ? "" : "-rotate-90"}`} />
            </button>
            <Standing group={group} />
            <ErrorSaid group={group} partner={partner}>
              {columns.isNarrow && <ErrorRetry {...props} />}
            </ErrorSaid>
          </div>
        </th>
        {STATES.map(([state, tone]) => (
          <td key={state} className={LINKED}>
            <OrdersLink
              value={group[state]}
              atLeast={atLeast}
              search={{ ...ordersOfGroup(group, partner), status: OF_LEG[group.leg][state] }}
              tone={tone}
            />
          </td>
        ))}
        {!columns.isNarrow && (
          <>
            <td className={`${NUMBER} max-lg:hidden`}>
              <Figure value={attempts} atLeast={atLeast} />
            </td>
            <td className="truncate px-2 py-2 align-top max-lg:hidden" title={partners.join(", ")}>
              {partners[0]}
              {partners.length > 1 && (
                <span className="block text-xs text-ink-3">and {partners.length - 1} more</span>
              )}
            </td>
            <td className="px-2 py-2 align-top">
              <FromNow at={last_seen} />
              <Link
                to="/orders/$id"
                params={{ id: String(example_order_id) }}
                className="num block w-fit text-xs text-ink-2 underline decoration-line-strong hover:text-ink"
              >
                order {example_order_id}
              </Link>
            </td>
          </>
        )}
        {columns.hasActs && (
          <td className="py-1.5 pe-3 text-end align-top">
            <ErrorRetry {...props} />
          </td>
        )}
      </tr>
      {isOpen && (
        <tr id={details}>
          <td
            colSpan={columns.isNarrow ? 3 : columns.hasActs ? 5 : 4}
            className="px-3 pt-1 pb-4 align-top sm:ps-15"
          >
            <ErrorDetails group={group} partner={partner} />
          </td>
          {/* Below the columns that are there only where there is room. */}
          {!columns.isNarrow && <td colSpan={2} aria-hidden="true" className="max-lg:hidden" />}
        </tr>
      )}
    </>
  );
}

/** At a glance: what needs somebody, what goes on by itself, what is over. */
function Standing({ group: { standing, waiting } }: Pick<Props, "group">) {
  const [Icon, tone, words] =
    standing > 0
      ? ([StopIcon, "stop", "Needs attention"] as const)
      : waiting > 0
        ? ([ClockIcon, "wait", "Is tried again by itself"] as const)
        : ([CheckIcon, "rest", "Over: the orders fared better since"] as const);
  return (
    <span title={words} className={`mt-1 ${TONE_TEXT[tone]}`}>
      <Icon />
      <span className="sr-only">{words}: </span>
    </span>
  );
}
