import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { ErrorGroup } from "../../api/types.ts";
import { counted } from "../../format/words.ts";
import { Copyable } from "../../ui/copy.tsx";
import { FromNow, Time } from "../../ui/time.tsx";
import { adviceOf } from "./error-words.ts";
import { ordersOfGroup } from "./orders-of-group.ts";

const LINK = "underline decoration-line-strong hover:decoration-current";

interface Props {
  readonly group: ErrorGroup;
  readonly partner: string | undefined;
}

/** All that there is to say of a group. */
export function ErrorDetails({ group, partner }: Props) {
  const {
    attempts,
    message,
    host,
    partners,
    first_seen,
    last_seen,
    fingerprint,
    standing,
    waiting,
    example_order_id,
  } = group;
  return (
    <dl className="grid max-w-3xl gap-x-4 gap-y-1.5 sm:grid-cols-[8rem_1fr]">
      <Detail what="What was said">
        {message === "" ? (
          "Nothing: the answer had no words."
        ) : (
          <>
            <p className="font-mono text-xs wrap-anywhere whitespace-pre-wrap">{message}</p>
            {/<(n|id|value)>/.test(message) && (
              <p className="text-xs text-ink-3">What stands in angle brackets differs from order to order.</p>
            )}
          </>
        )}
      </Detail>
      <Detail what="What to do">{adviceOf(group)}</Detail>
      <Detail what="Orders">
        {standing + waiting > 0 && (
          <>
            <Link to="/" search={ordersOfGroup(group, partner)} className={LINK}>
              All that need attention or wait
            </Link>
            ,{" "}
          </>
        )}
        <Link to="/orders/$id" params={{ id: String(example_order_id) }} className={LINK}>
          the newest: {example_order_id}
        </Link>
      </Detail>
      {host !== null && (
        <Detail what="Called">
          <Copyable text={host} what="host" />
        </Detail>
      )}
      <Detail what="Partners">
        {partners.map((id, place) => (
          <span key={id}>
            {place > 0 && ", "}
            <Link to="/partners/$id" params={{ id }} className={`${LINK} wrap-anywhere`}>
              {id}
            </Link>
          </span>
        ))}
      </Detail>
      <Detail what="Seen">
        {counted(attempts, "attempt")} in the time shown; first <Time at={first_seen} /> (
        <FromNow at={first_seen} />
        ), last <Time at={last_seen} /> (
        <FromNow at={last_seen} />)
      </Detail>
      <Detail what="Fingerprint">
        <Copyable text={fingerprint} what="fingerprint" />
      </Detail>
    </dl>
  );
}

function Detail({ what, children }: { readonly what: string; readonly children: ReactNode }) {
  return (
    <>
      <dt className="text-ink-3">{what}</dt>
      <dd className="min-w-0">{children}</dd>
    </>
  );
}
