import { classify } from "../../../../../src/orders/outcome.ts";
import type { Leg } from "../../../../../src/orders/states.ts";
import { clauseOf, sentence } from "../../../../../src/orders/verdict-words.ts";
import type { Moment, OrderStory } from "../../../api/types.ts";
import { counted } from "../../../format/words.ts";
import type { Tone } from "../../../ui/status.tsx";

export const LEG_NAMES: Record<Leg, string> = { ticketing: "Ticketing", callback: "Callback" };
const SUBJECTS: Record<Leg, string> = { ticketing: "ticketing", callback: "the partner" };

/** In the past, as said of somebody; what isn't listed shows as it stands on record. */
const ACTIONS: Readonly<Record<string, string>> = {
  "retry ticketing": "retried ticketing",
  "retry callback": "retried the callback",
  "resend callback": "had the callback sent again",
  "mark ticketed": "entered the tickets",
  cancel: "cancelled the order",
  close: "closed the order",
  reveal: "looked at the buyer's data",
};

export function actionWords(action: string): string {
  return ACTIONS[action] ?? action;
}

/** What an attempt's result means, without the code itself: that stands beside it. */
export function meaningOf({ leg, code, error }: Moment): string {
  const subject = SUBJECTS[leg ?? "ticketing"];
  if (error !== null) return plainSentence(clauseOf(subject, { code, error }));
  return plainSentence(`${subject} ${answeredWith(code ?? 0)}`);
}

function answeredWith(code: number): string {
  if (code === 0) return "did not answer";
  if (code < 300) return "confirmed";
  if (code < 400) return "redirected, which is not followed";
  if (code === 429) return "asked to slow down";
  return code < 500 ? "refused" : "failed";
}

function plainSentence(text: string): string {
  return sentence(text).replace(/\.$/, "");
}

/** The colour of what an attempt brought: done, to be tried again, or an end. */
export function toneOfResult({ leg, code, error }: Moment): Tone {
  if (error === "lost") return "doubt";
  if (error === "mapping") return "stop";
  const outcome = classify(leg ?? "ticketing", { code, error, sent: true }, "retry");
  return outcome === "done" ? "good" : outcome === "retry" ? "wait" : "stop";
}

/** One moment in a line, for the eye and for readers of screens. */
export function titleOf(moment: Moment, { order, partner }: OrderStory): string {
  const { what, leg, no, actor, action, event } = moment;
  const subject = leg === "callback" ? "The partner" : "Ticketing";
  switch (what) {
    case "received":
      return `Received from ${partner.name ?? partner.id}`;
    case "attempt":
      return `Attempt ${no}`;
    case "late_result":
      return `Attempt ${no}, answered after it had been given up`;
    case "ticketed":
      return `Ticketed: ${order.tickets.length === 0 ? "no codes" : counted(order.tickets.length, "ticket")}${
        order.reference === null ? "" : `, reference ${order.reference}`
      }`;
    case "delivered":
      return "Delivered: the partner knows";
    case "event":
      return `The partner is told: ${event}`;
    case "action":
      return `${actor} ${actionWords(action ?? "")}`;
    case "circuit_opened":
      return `${subject} fails for many orders: attempts are held back`;
    case "circuit_closed":
      return `${subject} works again: attempts go on`;
  }
}
