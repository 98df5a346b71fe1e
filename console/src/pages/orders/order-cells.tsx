import type { ListedOrder } from "../../api/types.ts";
import { fromNow, span } from "../../format/time.ts";
import { money } from "../../format/words.ts";
import { dayAfter, daysBetween } from "../../format/zoned.ts";
import { useNow } from "../../preferences/use-now.ts";
import { useToday } from "../../preferences/use-today.ts";
import { useSession } from "../../session/session.ts";
import { ATTENTION } from "../../search/status-sets.ts";
import { isRetrying, StatusBadge } from "../../ui/status.tsx";
import { FromNow } from "../../ui/time.tsx";

interface Props {
  readonly order: ListedOrder;
}

/** A cell that has nothing to tell. */
const Nothing = () => (
  <span data-nothing className="text-ink-3" aria-hidden="true">
    –
  </span>
);

export function Status({ order }: Props) {
  return <StatusBadge status={order.status} retrying={isRetrying(order)} />;
}

/** By the venue's calendar: `Today`, `Tomorrow`, else the day; `+2 d` where it is one of several. */
export function Visit({ order: { visit_from: from, visit_to: to } }: Props) {
  const today = useToday();
  if (from === null) return <Nothing />;
  const days = to === null ? 0 : daysBetween(from, to);
  return (
    <span className="num whitespace-nowrap" title={days > 0 ? `${from} to ${to}` : from}>
      {from === today ? "Today" : from === dayAfter(today) ? "Tomorrow" : from}
      {days > 0 && ` +${days} d`}
    </span>
  );
}

export function Total({ order: { totals } }: Props) {
  if (totals.length === 0) return <Nothing />;
  const text = totals.map(({ minor, currency }) => money(minor, currency)).join(" + ");
  return (
    <span className="num" title={text}>
      {text}
    </span>
  );
}

export function Tickets({ order: { tickets, qty } }: Props) {
  return (
    <span className={`num ${tickets === 0 ? "text-ink-3" : ""}`}>
      {tickets}/{qty}
    </span>
  );
}

/** Of the leg that the order has come to, and of its present run. */
export function Attempt({ order: { run_attempts: made, leg } }: Props) {
  const { attempts_per_run: most } = useSession();
  return (
    <span className={`num ${made > 1 ? "" : "text-ink-3"}`} title={`of ${leg}`}>
      {made}/{most}
    </span>
  );
}

export function Next({ order: { next_attempt_at: next, held_until: held, status } }: Props) {
  const now = useNow();
  if (held !== null)
    return (
      <span className="text-wait" title="Its target's circuit is open: it waits without spending attempts">
        Held back
      </span>
    );
  if (next !== null) return Date.parse(next) > now ? <FromNow at={next} /> : <span>Due</span>;
  return status === "ticketing_processing" || status === "ota_callback_pending" ? (
    <span>In flight</span>
  ) : (
    <Nothing />
  );
}

/** What the last attempt failed with, if it did. */
export function LastError({ order }: Props) {
  const { last_status_code: code, last_error: error, blocked_reason: reason } = order;
  const isFine = code !== null && code >= 200 && code < 300;
  const words = [isFine && error === null ? null : code, error].filter((each) => each !== null);
  const text = words.length > 0 ? words.join(" ") : ATTENTION.includes(order.status) ? reason : null;
  if (text === null) return <Nothing />;
  return (
    <span className="font-mono text-xs" title={reason ?? undefined}>
      {text}
    </span>
  );
}

/** Since it was accepted. */
export function Age({ order: { created_at: at } }: Props) {
  const now = useNow();
  return (
    <time dateTime={at} title={`Accepted ${fromNow(Date.parse(at), now)}`} className="num whitespace-nowrap">
      {span((now - Date.parse(at)) / 1000)}
    </time>
  );
}
