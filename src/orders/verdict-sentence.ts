import { type PossibleAction, possibleActions } from "./possible-actions.ts";
import { FINAL_STATUSES } from "./states.ts";
import {
  hasUnreadTickets,
  isTicketless,
  reasonOf,
  tickets,
  type Told,
  type VerdictContext,
  type VerdictStory,
} from "./verdict-facts.ts";
import { inWork } from "./verdict-in-work.ts";
import { clauseOf, clockTime, oneLine, sentence } from "./verdict-words.ts";

/** What was made of an order, told to somebody who has never seen the gateway from within. */
export interface Verdict extends Told {
  readonly actions: readonly PossibleAction[];
}

/** Ticketing's answers to credentials gone bad or an endpoint that has moved. */
const ABOUT_THE_GATEWAY = new Set([401, 403, 404, 405]);

/** What happened to an order, what comes next, and what can be done. Pure, and says something of every order. */
export function verdictOf(story: VerdictStory, context: VerdictContext): Verdict {
  const { order, ticketing } = story;
  const { happened, next } = told(story, context);
  const isFinal = FINAL_STATUSES.some((status) => status === order.pipeline_status);
  const disabled =
    isFinal || (context.partner?.disabled_at ?? null) === null
      ? ""
      : "; the partner is disabled, but its accepted orders run to their end";
  return {
    happened: sentence(happened),
    next: sentence(next + disabled),
    actions: possibleActions({
      id: order.id,
      status: order.pipeline_status,
      ticketsUnread: hasUnreadTickets(story),
      endsAs: ticketing?.job.ends_as ?? null,
      held: context.hold !== null,
    }),
  };
}

function told(story: VerdictStory, context: VerdictContext): Told {
  switch (story.order.pipeline_status) {
    case "accepted":
    case "ticketing_processing":
      return inWork("ticketing", story, context);
    case "ticketed":
    case "ota_callback_pending":
      return inWork("callback", story, context);
    case "ticketing_blocked":
      return ticketingBlocked(story);
    case "ticketing_exhausted":
      return {
        happened: `ticketing was given up: ${reasonOf("ticketing", story)}`,
        next: "nothing more happens by itself: when ticketing is well again, an operator has it asked once more",
      };
    case "ticketing_unknown":
      return ticketingUnknown(story);
    case "ota_callback_blocked":
      return callbackBlocked(story);
    case "ota_callback_exhausted":
      return {
        happened: `${tickets(story)}, but telling the partner was given up: ${reasonOf("callback", story)}`,
        next: "nothing more happens by itself: when the partner can be reached again, an operator has it called once more",
      };
    case "ota_callback_delivered":
      return delivered(story, context);
    case "cancelled":
    case "closed":
      return ended(story);
  }
}

function ticketingBlocked(story: VerdictStory): Told {
  const last = story.ticketing?.attempts.at(-1);
  const reason = reasonOf("ticketing", story);
  if (hasUnreadTickets(story)) {
    return {
      happened: `ticketing has issued the tickets, but they could not be read from its answer: ${reason}`,
      next: "nothing more happens by itself: get the tickets' codes from ticketing and enter them",
    };
  }
  if (last?.error === "mapping" && last.code === null) {
    return {
      happened: `the gateway could not put the order into a request for ticketing: ${reason}`,
      next: "nothing more happens by itself: when the mapping (TICKETING_MAPPING) or what it stumbled on is mended, have it asked again",
    };
  }
  if (last?.error === null && ABOUT_THE_GATEWAY.has(last.code ?? 0)) {
    return {
      happened: `ticketing refused the request, which is rather about the gateway's credentials or TICKETING_URL than about this order: ${reason}`,
      next: "nothing more happens by itself, unless it turns out to fail for every order: set the access right, then have it asked again",
    };
  }
  return {
    happened: `ticketing refused the order: ${reason}`,
    next: "nothing more happens by itself: see what ticketing answered, and when the cause is gone have it asked again",
  };
}

function ticketingUnknown(story: VerdictStory): Told {
  const { order, ticketing } = story;
  const last = ticketing?.attempts.at(-1);
  const reason = last === undefined ? reasonOf("ticketing", story) : clauseOf("ticketing", last);
  return {
    happened: `nobody knows whether ticketing has issued tickets, as the request was sent and no whole answer came: ${reason}`,
    next: `nothing more happens by itself: ask ticketing what it knows of trace id ${oneLine(order.trace_id)}, then say so`,
  };
}

function callbackBlocked(story: VerdictStory): Told {
  const last = story.callback?.attempts.at(-1);
  const reason = reasonOf("callback", story);
  if (last?.error === "guard") {
    return {
      happened: `${tickets(story)}, but the gateway did not send the callback, by its own rules for addresses: ${reason}`,
      next: "nothing more happens by itself: the partner's callback address or the rules have to change, then have it called again",
    };
  }
  return {
    happened: `${tickets(story)}, but the partner refused the callback: ${reason}`,
    next: "nothing more happens by itself: ask the partner why, and when the cause is gone have it called again",
  };
}

function delivered(story: VerdictStory, { nowMs }: VerdictContext): Told {
  const { delivered_at: at, trace_id: traceId } = story.order;
  const when = at === null ? "" : ` at ${clockTime(at, nowMs)}`;
  const happened = `${tickets(story)}, and the partner was told${when}`;
  if (!isTicketless(story)) return { happened, next: "nothing more to do" };
  return {
    happened,
    next: `nothing more happens by itself: ask ticketing whether it has issued tickets under trace id ${oneLine(traceId)}`,
  };
}

function ended({ order, actions, late }: VerdictStory): Told {
  const verb = order.pipeline_status === "closed" ? "close" : "cancel";
  const by = actions.findLast(({ action }) => action.startsWith(verb));
  const who = by === undefined ? "an operator" : oneLine(by.actor) || "an operator";
  const why = by === undefined ? "" : ` ("${oneLine(by.reason)}")`;
  // What is on record begins with the word that stands in the sentence already.
  const rest = oneLine(order.blocked_reason ?? "").replace(/^(?:closed|cancelled)(?:[:;]|, but)? /, "");
  const reason = rest === "" ? "" : `: ${rest}`;
  const ticketedLate = late.some(
    ({ leg, code }) => leg === "ticketing" && code !== null && code >= 200 && code < 300,
  );
  return {
    happened: `the order was ${order.pipeline_status} by ${who}${why}${reason}`,
    next: ticketedLate
      ? "nothing more happens by itself: have its tickets revoked at ticketing"
      : "nothing more to do",
  };
}
