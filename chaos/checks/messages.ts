import { createHmac } from "node:crypto";
import type { Evidence } from "../evidence.ts";
import { PARTNERS, TICKETING_AUTHORIZATION } from "../settings.ts";
import { eachLeg, type Invariant } from "./invariant.ts";

/** What goes out is the same on every attempt, and signed. */
export function checkMessages(evidence: Evidence): Invariant[] {
  return [
    eachLeg(
      "each request bears the order's headers and one Idempotency-Key",
      evidence,
      (leg, tell, order) => {
        const { row } = order;
        for (const { no, headers } of leg.requests) {
          const fine =
            headers["idempotency-key"] === row.trace_id &&
            headers["x-external-order-id"] === row.external_order_id &&
            headers["x-origin-partner-id"] === row.partner_id &&
            String(headers["traceparent"]).includes(row.trace_id.replaceAll("-", ""));
          tell(!fine && `${leg.leg} request ${no}: ${JSON.stringify(headers)}`);
        }
      },
    ),
    eachLeg(
      "ticketing gets the order, and never the callback_url",
      evidence,
      (leg, tell, { row, planned }) => {
        if (leg.leg !== "ticketing") return;
        for (const { no, body, headers } of leg.requests) {
          // A request that was cut off has no whole body.
          if (body === "") continue;
          const { items, buyer } = JSON.parse(body) as Record<string, unknown>;
          const fine =
            headers["authorization"] === TICKETING_AUTHORIZATION &&
            !body.includes("callback_url") &&
            JSON.stringify(items) === JSON.stringify(planned?.items) &&
            (buyer as { name?: unknown } | undefined)?.name === planned?.buyer;
          tell(!fine && `request ${no} of ${row.external_order_id}: ${body}`);
        }
      },
    ),
    eachLeg("a callback is the same byte for byte, as stored", evidence, (leg, tell) => {
      if (leg.leg !== "callback") return;
      for (const { no, body } of leg.requests) {
        if (body !== "") tell(body !== leg.jobs[0]?.body && `request ${no}: ${body}`);
      }
    }),
    eachLeg("a callback's signatures verify", evidence, (leg, tell, { row }) => {
      if (leg.leg !== "callback") return;
      const { signingSecret = "" } = PARTNERS.find(({ id }) => id === row.partner_id) ?? {};
      for (const { no, headers, body, startedAt } of leg.requests) {
        if (body === "") continue;
        const id = String(headers["webhook-id"]);
        const timestamp = String(headers["webhook-timestamp"]);
        const hmac = (text: string) => createHmac("sha256", signingSecret).update(text);
        const fine =
          headers["x-callback-signature"] === hmac(body).digest("hex") &&
          headers["webhook-signature"] === `v1,${hmac(`${id}.${timestamp}.${body}`).digest("base64")}` &&
          Math.abs(Number(timestamp) - startedAt / 1000) < 60 &&
          id === leg.jobs[0]?.event_id;
        tell(!fine && `request ${no}: ${JSON.stringify(headers)}`);
      }
    }),
  ];
}
