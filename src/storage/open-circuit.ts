import type { Leg } from "../orders/states.ts";

/** Ticketing is one target, shared by all partners; each partner's callbacks are one. */
export function targetOf(leg: Leg, partnerId: string): string {
  return leg === "ticketing" ? "" : partnerId;
}

/** A condition on a partner `p`: none of the leg's circuits that concern it is open. */
export function noOpenCircuit(leg: Leg, partner: string): string {
  return `not exists (
    select 1 from circuits c where c.leg = '${leg}' and c.partner_id in ('', ${partner}) and c.state = 'open')`;
}
