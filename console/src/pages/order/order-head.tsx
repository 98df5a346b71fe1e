import { Link } from "@tanstack/react-router";
import type { OrderStory } from "../../api/types.ts";
import { useHeld } from "../../live/use-live.ts";
import { useMayAct } from "../../session/session.ts";
import { Copyable } from "../../ui/copy.tsx";
import { Badge, STATUS, StatusBadge } from "../../ui/status.tsx";
import { OrderActions } from "./order-actions.tsx";
import { Countdown } from "./countdown.tsx";
import { SameExternalId } from "./same-external-id.tsx";
import { VerdictText } from "./verdict-text.tsx";

const EDGES = {
  good: "border-s-good",
  work: "border-s-work",
  wait: "border-s-wait",
  stop: "border-s-stop",
  doubt: "border-s-doubt",
  rest: "border-s-rest",
} as const;

/** The answer to "where is it?": which order, where it stands, why, what comes next, and what helps. */
export function OrderHead({ story }: { readonly story: OrderStory }) {
  const { order, partner, verdict, next_attempts: next } = story;
  const mayAct = useMayAct();
  const isHeld = useHeld();
  const isRetrying = next.some(({ run_no }) => run_no > 1);
  const { tone } = STATUS[order.status];
  return (
    <section
      aria-label="Where it stands"
      className={`rounded-lg border border-s-4 border-line bg-panel p-4 ${EDGES[isRetrying && tone === "work" ? "wait" : tone]}`}
    >
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <Copyable text={order.external_order_id} what="external order id" className="text-xl font-semibold" />
        <StatusBadge status={order.status} retrying={isRetrying} />
        <span className="flex min-w-0 items-center gap-2 text-ink-2">
          <Link
            to="/partners/$id"
            params={{ id: partner.id }}
            className="min-w-0 truncate py-0.5 underline hover:text-ink"
          >
            {partner.name ?? partner.id}
          </Link>
          {partner.disabled_at !== null && <Badge tone="rest">Disabled</Badge>}
        </span>
      </div>
      <SameExternalId ids={order.same_external_id} externalId={order.external_order_id} />
      <p className="mt-3 max-w-[80ch] text-lg font-medium wrap-anywhere">
        <VerdictText text={verdict.happened} />
      </p>
      <p className="mt-1 max-w-[100ch] text-base wrap-anywhere text-ink-2">
        <VerdictText text={verdict.next} /> {next[0] && !isHeld && <Countdown attempt={next[0]} />}
      </p>
      {mayAct && <OrderActions story={story} />}
    </section>
  );
}
