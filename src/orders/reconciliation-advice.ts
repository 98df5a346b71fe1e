import type { ExportedOrder } from "./order-export.ts";
import { standingOf, type Standing } from "./their-row.ts";
import { isEdge } from "./states.ts";

/** Whose file is held against ours: a partner's list of what it sold, or ticketing's of what it issued. */
export const SIDES = ["partner", "ticketing"] as const;
export type Side = (typeof SIDES)[number];

/** What to do about a difference. */
export interface Advice {
  readonly advice: string;
  /** Arguments of the command line that does it, or that shows more; null: it is not done here. */
  readonly command: string | null;
}

type Ours = Pick<ExportedOrder, "id" | "status" | "ticketedAt">;

const REASON = "--reason 'reconciliation'";
const show = (order: Ours, advice: string): Advice => ({ advice, command: `order show ${order.id}` });
const act = (name: string, order: Ours, advice: string, options = ""): Advice => ({
  advice,
  command: `order ${name} ${order.id}${options} ${REASON}`,
});

/** An order of ours that their file doesn't have; null: it needn't have it. */
export function onOursOnly(side: Side, order: Ours): Advice | null {
  const standing = standingOf(order.status);
  if (standing === "cancelled" || standing === "closed") return null;
  if (side === "partner") return onPartnerWithout(order, standing);
  if (standing === "confirmed") {
    return show(
      order,
      "the partner has tickets that ticketing does not list: ask ticketing before the visit",
    );
  }
  if (standing !== "unknown") return null;
  const advice =
    "nobody knew whether ticketing had it: if the file is complete, it hasn't, and can be asked again";
  return act("resolve", order, advice, " --not-ticketed");
}

function onPartnerWithout(order: Ours, standing: Standing | "unknown"): Advice {
  if (standing === "confirmed") return tellPartner(order);
  if (standing === "pending") return show(order, "it is on its way: look whether their file ends before it");
  if (standing === "unknown") {
    return show(order, "the partner doesn't know it, and ticketing may hold tickets: ask ticketing first");
  }
  return act(
    "cancel",
    order,
    "it was not ticketed, and the partner doesn't have it: end it if it isn't wanted",
  );
}

/** The tickets are there, and the partner doesn't seem to know. */
function tellPartner(order: Ours): Advice {
  if (order.status === "ota_callback_delivered") {
    return act(
      "resend",
      order,
      "it is ticketed and the partner was told, but doesn't have it: tell it again",
    );
  }
  if (isEdge(order.status, "closed")) {
    return act("retry", order, "it is ticketed, but the partner could not be told: tell it again");
  }
  return show(order, "it is ticketed, and the partner is being told");
}

/** A row of theirs that no order of ours has; null: it needn't. */
export function onTheirsOnly(side: Side, theirs: Standing | null): Advice | null {
  if (theirs === "cancelled" || theirs === "failed") return null;
  const advice =
    side === "partner"
      ? "no order was made of it: `rejection list` tells whether it was refused; have the partner send it again"
      : "ticketing holds tickets of an order that isn't here: sold elsewhere, or to be cancelled there";
  return { advice, command: null };
}

/** The same order, which stands otherwise with them. @param theirs null: it is listed, without a status */
export function onStatus(side: Side, theirs: Standing | null, order: Ours): Advice {
  const ours = standingOf(order.status);
  const isSold = theirs === null || theirs === "confirmed";
  if (side === "ticketing") {
    if (isSold && ours === "cancelled")
      return show(order, "ticketing holds tickets of an order that is cancelled: void them there");
    if (isSold && isEdge(order.status, "ticketed") && ours !== "pending") {
      return act(
        "resolve",
        order,
        "ticketing has issued the tickets: enter their codes, and the partner is told",
        " --ticketed --code ...",
      );
    }
    if (isSold && ours === "pending")
      return show(
        order,
        "it is on its way: look again later. While the gateway is held (after a restore): enter its codes by `order resolve`",
      );
    if (ours === "confirmed")
      return show(order, "the partner has tickets that ticketing does not take for good: ask ticketing");
    return show(order, "it is not settled yet on one side: look again later");
  }
  if (theirs === "cancelled") {
    return isEdge(order.status, "cancelled")
      ? act("cancel", order, "the partner has cancelled it: end it before it is ticketed")
      : show(order, "the partner has cancelled it, but it is ticketed: void the tickets at ticketing");
  }
  if (isSold && ours === "failed")
    return act(
      "retry",
      order,
      "the partner has sold it, and there are no tickets: ask ticketing again when the cause is gone",
    );
  if (isSold && ours === "cancelled")
    return show(order, "the partner has sold it, but it was cancelled here: tell the partner");
  if (ours === "confirmed") return tellPartner(order);
  return show(order, "it is not settled yet on one side: look again later");
}

export function onFields(order: Ours): Advice {
  return show(order, "hold it against what the partner sent; an accepted order is never changed here");
}

/** Several orders of ours, none of them cancelled, where they have fewer. */
export function onRepeatedOurs(newest: Ours): Advice {
  const advice = "it was ordered more than once: find out which of them is meant, and end the others";
  return isEdge(newest.status, "cancelled") ? act("cancel", newest, advice) : show(newest, advice);
}

export function onRepeatedTheirs(rowsAre: "orders" | "items", order: Ours): Advice {
  return show(
    order,
    rowsAre === "items"
      ? "their rows don't fit our orders: ask whose they are"
      : "their file has it more than once: if it has a row for each item, say --rows items",
  );
}
