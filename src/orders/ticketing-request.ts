/** What ticketing is told beside the partner's own words. */
export interface TicketingOrder {
  readonly traceId: string;
  readonly partnerId: string;
}

/** Names that the gateway sets itself, and what concerns it alone: never taken from the partner's body. */
export const OURS = new Set(["trace_id", "partner_id", "callback_url"]);

/**
 * The body of the request to ticketing (SPEC section 4): `trace_id` and `partner_id`, then every top-level member of
 * the partner's body as it was written, but `callback_url`. The members' source text is copied,
 * so that no number loses a digit and no unknown field its form.
 */
export function ticketingRequest(order: TicketingOrder, members: ReadonlyMap<string, string>): string {
  const parts = [
    `"trace_id":${JSON.stringify(order.traceId)}`,
    `"partner_id":${JSON.stringify(order.partnerId)}`,
  ];
  for (const [name, source] of members) {
    if (!OURS.has(name)) parts.push(`${JSON.stringify(name)}:${source}`);
  }
  return `{${parts.join(",")}}`;
}
