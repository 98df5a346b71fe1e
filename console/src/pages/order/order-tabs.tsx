import { Link } from "@tanstack/react-router";
import type { OrderStory } from "../../api/types.ts";
import { count } from "../../format/words.ts";
import type { OrderTab } from "../../search/order-tabs.ts";
import { BuyerBar } from "./buyer-bar.tsx";
import { AnswersTab } from "./tabs/answers-tab.tsx";
import { AuditTab } from "./tabs/audit-tab.tsx";
import { CallbackTab } from "./tabs/callback-tab.tsx";
import { PayloadTab } from "./tabs/payload-tab.tsx";
import { RequestTab } from "./tabs/request-tab.tsx";
import { TicketsTab } from "./tabs/tickets-tab.tsx";
import { Timeline } from "./timeline/timeline.tsx";

const NAMES: Record<OrderTab, string> = {
  timeline: "Timeline",
  payload: "Payload",
  request: "Mapped request",
  answers: "Answers",
  tickets: "Tickets",
  callback: "Callback",
  audit: "Audit",
};

interface Props {
  readonly story: OrderStory;
  readonly tab: OrderTab;
  /** With the buyer's data, as it was when it was asked for. */
  readonly revealed: OrderStory | null;
  readonly onReveal: (story: OrderStory | null) => void;
}

/** The timeline, and behind it everything on record: each a link of its own. */
export function OrderTabs({ story, tab, revealed, onReveal }: Props) {
  const counts: Partial<Record<OrderTab, number>> = {
    answers: answersIn(story),
    tickets: story.order.tickets.length,
    audit: story.order.actions?.length ?? 0,
  };
  const shown = revealed ?? story;
  const hasBuyer = tab !== "timeline" && tab !== "audit";
  return (
    <section aria-label={NAMES[tab]} className="min-w-0 rounded-lg border border-line bg-panel">
      <nav
        aria-label="What is shown of the order"
        className="flex flex-wrap gap-x-1 border-b border-line px-2"
      >
        {(Object.keys(NAMES) as OrderTab[]).map((each) => (
          <Link
            key={each}
            to="."
            search={each === "timeline" ? {} : { tab: each }}
            replace
            resetScroll={false}
            aria-current={each === tab ? "page" : undefined}
            className={`flex h-9 items-center gap-1.5 border-b-2 px-2 text-sm ${
              each === tab
                ? "border-accent font-medium text-ink"
                : "border-transparent text-ink-2 hover:text-ink"
            }`}
          >
            {NAMES[each]}
            {(counts[each] ?? 0) > 0 && (
              <span className="num rounded bg-rest-soft px-1 text-xs font-normal text-ink-2">
                {count(counts[each] ?? 0)}
              </span>
            )}
          </Link>
        ))}
      </nav>
      {hasBuyer && <BuyerBar story={story} revealed={revealed} onReveal={onReveal} />}
      <div>
        <TabContent tab={tab} story={story} shown={shown} />
      </div>
    </section>
  );
}

interface ContentProps {
  readonly tab: OrderTab;
  readonly story: OrderStory;
  readonly shown: OrderStory;
}

function TabContent({ tab, story, shown }: ContentProps) {
  switch (tab) {
    case "timeline":
      return <Timeline story={story} />;
    case "payload":
      return <PayloadTab story={shown} />;
    case "request":
      return <RequestTab story={shown} />;
    case "answers":
      return <AnswersTab story={shown} />;
    case "tickets":
      return <TicketsTab story={shown} />;
    case "callback":
      return <CallbackTab story={shown} />;
    case "audit":
      return <AuditTab story={story} />;
  }
}

function answersIn({ timeline }: OrderStory): number {
  return timeline.filter(({ answer }) => answer !== null).length;
}
