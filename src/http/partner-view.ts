import { type Static, type TSchema, Type } from "typebox";
import { isoTime, isoTimeOrNull } from "../lib/iso-time.ts";
import type { PartnerStanding } from "../storage/partner-standings.ts";
import type { Partner } from "../storage/partners.ts";

const nullable = <T extends TSchema>(schema: T, description?: string) =>
  Type.Union([schema, Type.Null()], description === undefined ? {} : { description });
const Time = Type.String({ format: "date-time" });
const Count = (description: string) => Type.Integer({ minimum: 0, description });

/** A partner, without anything secret, as the API and the command line show it. */
export const PartnerView = Type.Object({
  partner_id: Type.String(),
  name: Type.String(),
  state: Type.Enum(["enabled", "disabled"]),
  development: Type.Boolean(),
  allowlist_cidrs: nullable(Type.Array(Type.String()), "null: from anywhere"),
  rate_limit: nullable(
    Type.Object({ capacity: Type.Number(), per_sec: nullable(Type.Number()) }),
    "null: the configuration's",
  ),
  callback_hosts: nullable(Type.Array(Type.String()), "null: any that the configuration allows"),
  own_signing_secret: Type.Boolean(),
  previous_signing_secret_valid_until: nullable(Time),
  reject_repeats: Type.Boolean(),
  hold_limit_secs: nullable(Type.Integer(), "null: the configuration's"),
  failure_events: Type.Boolean(),
  previous_token_valid_until: nullable(Time),
  disabled_at: nullable(Time),
  created_at: Time,
});
export type PartnerView = Static<typeof PartnerView>;

export function partnerView(partner: Partner, nowMs: number): PartnerView {
  const { rateCapacity: capacity } = partner;
  return {
    partner_id: partner.id,
    name: partner.name,
    state: partner.disabledAt === null ? "enabled" : "disabled",
    development: partner.development,
    allowlist_cidrs: partner.allowlistCidrs === null ? null : [...partner.allowlistCidrs],
    rate_limit: capacity === null ? null : { capacity, per_sec: partner.ratePerSec },
    callback_hosts: partner.callbackHosts === null ? null : [...partner.callbackHosts],
    own_signing_secret: partner.signingSecret !== null,
    previous_signing_secret_valid_until: endsAt(partner.previousSigningSecretUntil, nowMs),
    reject_repeats: partner.rejectRepeats,
    hold_limit_secs: partner.holdLimitSecs,
    failure_events: partner.failureEvents,
    previous_token_valid_until: endsAt(partner.previousTokenUntil, nowMs),
    disabled_at: isoTimeOrNull(partner.disabledAt),
    created_at: isoTime(partner.createdAt),
  };
}

/** How it fares, beside what it is. */
export const PartnerStandingView = Type.Object({
  last_seen_at: nullable(Time, "its last request with the right token, near enough"),
  last_order_at: nullable(Time),
  last_day: Type.Object({
    orders: Count("accepted; 10,000 stands for that and more"),
    refused_requests: Count("turned away or refused"),
    failed_callbacks: Count("attempts"),
  }),
  stopped: Type.Object({
    ticketing: Count("orders that stand still at ticketing"),
    callbacks: Count("callbacks that stand still"),
  }),
  circuit: nullable(
    Type.Object({ opened_at: Time, reason: nullable(Type.String()) }),
    "of its callbacks, while they are held because they fail for every order",
  ),
});
export type PartnerStandingView = Static<typeof PartnerStandingView>;

export function partnerStandingView(standing: PartnerStanding): PartnerStandingView {
  const { circuit } = standing;
  return {
    last_seen_at: isoTimeOrNull(standing.lastSeenAt),
    last_order_at: isoTimeOrNull(standing.lastOrderAt),
    last_day: {
      orders: standing.orders,
      refused_requests: standing.refusedRequests,
      failed_callbacks: standing.failedCallbacks,
    },
    stopped: { ticketing: standing.stoppedTicketing, callbacks: standing.stoppedCallbacks },
    circuit: circuit === null ? null : { opened_at: isoTime(circuit.openedAt), reason: circuit.reason },
  };
}

/** When a time that may be over ends; null: there is none, or it is over. */
export function endsAt(until: number | null, nowMs: number): string | null {
  return until === null || until <= nowMs ? null : isoTime(until);
}
