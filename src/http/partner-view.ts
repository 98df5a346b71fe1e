import { type Static, type TSchema, Type } from "typebox";
import { isoTime, isoTimeOrNull } from "../lib/iso-time.ts";
import type { PartnerStanding } from "../storage/partner-standings.ts";
import type { Partner } from "../storage/partners.ts";

const nullable = <T extends TSchema>(schema: T, description?: string) =>
  Type.Union([schema, Type.Null()], description === undefined ? {} : { description });
const Time = Type.String({ format: "date-time", examples: ["2026-08-25T07:09:55.123Z"] });
const NoTime = Type.Union([Time, Type.Null()], { examples: [null] });
const Count = (description: string, example: number) =>
  Type.Integer({ minimum: 0, description, examples: [example] });

/** A partner, without anything secret, as the API and the command line show it. */
export const PartnerView = Type.Object({
  partner_id: Type.String({ description: "what it sends as X-Partner-Id", examples: ["ota-one"] }),
  name: Type.String({ description: "for people", examples: ["OTA One"] }),
  state: Type.Enum(["enabled", "disabled"]),
  development: Type.Boolean({ description: "true: known to `serve --dev` alone" }),
  allowlist_cidrs: nullable(
    Type.Array(Type.String(), { examples: [["198.51.100.0/24"]] }),
    "where its requests may come from; null: from anywhere",
  ),
  rate_limit: nullable(
    Type.Object({
      capacity: Type.Number({ description: "tokens that its bucket holds", examples: [20] }),
      per_sec: nullable(Type.Number({ examples: [5] }), "tokens that come back in a second"),
    }),
    "null: the configuration's",
  ),
  callback_hosts: nullable(
    Type.Array(Type.String(), { examples: [["*.partner.example.com"]] }),
    "the only hosts of its callbacks; null: any that the configuration allows",
  ),
  own_signing_secret: Type.Boolean({
    description: "false: the configuration's signs its callbacks",
    examples: [true],
  }),
  previous_signing_secret_valid_until: NoTime,
  reject_repeats: Type.Boolean({ description: "true: an external_order_id may be used once" }),
  hold_limit_secs: Type.Union([Type.Integer(), Type.Null()], {
    description: "for how long an outage may hold its orders; null: the configuration's",
    examples: [null],
  }),
  failure_events: Type.Boolean({ description: "true: it is told of orders that fail, too" }),
  previous_token_valid_until: NoTime,
  disabled_at: NoTime,
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
    orders: Count("accepted; 10,000 stands for that and more", 1204),
    refused_requests: Count("turned away or refused", 3),
    failed_callbacks: Count("attempts", 2),
  }),
  stopped: Type.Object({
    ticketing: Count("orders that stand still at ticketing", 1),
    callbacks: Count("callbacks that stand still", 0),
  }),
  circuit: Type.Union([Type.Object({ opened_at: Time, reason: nullable(Type.String()) }), Type.Null()], {
    description: "of its callbacks, while they are held because they fail for every order",
    examples: [null],
  }),
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
