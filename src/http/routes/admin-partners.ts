import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { type Static, Type } from "typebox";
import type { Clock } from "../../lib/clock.ts";
import type { Credentials } from "../../lib/credentials.ts";
import { secretToken } from "../../lib/ids.ts";
import { isoTime } from "../../lib/iso-time.ts";
import { canonicalJson } from "../../orders/fingerprint.ts";
import type { InputProblem } from "../../orders/order-input.ts";
import { schemasOf, text } from "../../orders/outward-fields.ts";
import { newSigningSecret } from "../../outbound/signature.ts";
import { TEST_EVENT, type TestCallback } from "../../pipeline/test-callback.ts";
import type { ReadPartnerStandings } from "../../storage/partner-standings.ts";
import { type Partner, type Partners, type PartnerSettings, TOKEN_PREFIX } from "../../storage/partners.ts";
import { adminSchema } from "../admin-schema.ts";
import { createBodyReader, Reason } from "../body.ts";
import { EXAMPLE_SECRET, EXAMPLE_TICKETED } from "../example-order.ts";
import { requireJson } from "../json-body.ts";
import { always, jsonResponse } from "../openapi.ts";
import { operatorOf } from "../operator-of.ts";
import { readQuery } from "../order-filter-query.ts";
import { AttemptError, Code, DurationMs, EventId } from "../order-view.ts";
import { PartnerStandingView, partnerStandingView, PartnerView, partnerView } from "../partner-view.ts";
import { Problem } from "../problem-reply.ts";

/** Settings as PARTNERS_JSON writes them, read by its rules. */
export type CheckPartner = (entry: object) =>
  | {
      readonly ok: true;
      readonly seed: Pick<Partner, "name" | "allowlistCidrs" | "callbackHosts" | "rejectRepeats"> & {
        readonly rateLimit: { readonly capacity: number; readonly perSec: number } | null;
      };
    }
  | { readonly ok: false; readonly problems: readonly InputProblem[] };

export interface AdminPartnersOptions {
  readonly partners: Partners;
  readonly readPartnerStandings: ReadPartnerStandings;
  readonly checkPartner: CheckPartner;
  readonly credentials: Pick<Credentials, "digest" | "seal">;
  /** Signs for partners without a secret of their own. */
  readonly sharedSigningSecret: string | null;
  readonly testCallback: TestCallback;
  readonly clock: Clock;
}

const PAGE = 100;
const AFTER = { after: text("a partner's id: only those that come after it", 64, "ota-one") };
/** Tests that one process has under way at a time. */
const MAX_TESTS = 4;
const DAY_SECS = 86_400;
const OVERLAP = Type.Optional(
  Type.Integer({
    minimum: 0,
    maximum: 365 * DAY_SECS,
    default: DAY_SECS,
    description: "for how long the present one holds too, in seconds: a whole number up to 31536000",
    examples: [DAY_SECS],
  }),
);
const Why = Type.Optional(Reason);
const closed = { additionalProperties: false } as const;

const SETTINGS = {
  allowlist_cidrs: Type.Optional(
    Type.Union([Type.Array(Type.String()), Type.Null()], {
      description: "a list of CIDRs that it may send from, or null for anywhere",
      examples: [["198.51.100.0/24"]],
    }),
  ),
  rate_limit: Type.Optional(
    Type.Union([Type.Object({ capacity: Type.Number(), per_sec: Type.Number() }, closed), Type.Null()], {
      description: "an object with capacity and per_sec, or null for the configuration's",
      examples: [{ capacity: 20, per_sec: 5 }],
    }),
  ),
  callback_hosts: Type.Optional(
    Type.Union([Type.Array(Type.String()), Type.Null()], {
      description:
        "a list of the only hosts of its callbacks, *.x for subdomains of x, or null for no such list",
      examples: [["*.partner.example.com"]],
    }),
  ),
  reject_repeats: Type.Optional(
    Type.Boolean({ description: "true to refuse an external_order_id that it has used before, else false" }),
  ),
  hold_limit_secs: Type.Optional(
    Type.Union([Type.Integer({ minimum: 0, maximum: 31_536_000 }), Type.Null()], {
      description:
        "a whole number of seconds for which an outage may hold its orders, up to 31536000, or null for the configuration's",
      examples: [null],
    }),
  ),
  failure_events: Type.Optional(
    Type.Boolean({ description: "true to tell it of orders that come to stand without tickets, else false" }),
  ),
};
const Name = Type.String({ description: "its name, for people: 1 to 128 characters", examples: ["OTA One"] });
const NewPartnerBody = Type.Object(
  {
    partner_id: Type.String({
      description: "what it sends as X-Partner-Id: 1 to 64 of A-Z a-z 0-9 . _ -",
      examples: ["ota-one"],
    }),
    name: Name,
    ...SETTINGS,
    own_signing_secret: Type.Optional(
      Type.Boolean({ description: "true to generate a signing secret of its own, else false" }),
    ),
    reason: Why,
  },
  { ...closed, description: "an object with partner_id and name" },
);
const ChangeBody = Type.Object(
  { name: Type.Optional(Name), ...SETTINGS, reason: Why },
  { ...closed, description: "an object with what is to be changed" },
);
const OnlyWhy = Type.Object({ reason: Why }, { ...closed, description: "an object" });
const RotateBody = Type.Object(
  { overlap_secs: OVERLAP, reason: Why },
  { ...closed, description: "an object" },
);
const TestBody = Type.Object(
  {
    url: Type.String({
      minLength: 1,
      maxLength: 2048,
      description: "a URL of the partner's, by the rules of callback_url",
      examples: ["https://partner.example.com/ota/callback"],
    }),
    reason: Why,
  },
  { ...closed, description: "an object with a url" },
);
type Settings = Omit<Static<typeof ChangeBody>, "reason">;

const readNew = createBodyReader(NewPartnerBody);
const readChange = createBodyReader(ChangeBody);
const readWhy = createBodyReader(OnlyWhy);
const readRotate = createBodyReader(RotateBody);
const readTest = createBodyReader(TestBody);

/** `/admin/partners`: who may send orders, and how they fare. Every change is recorded with who made it. */
export function addAdminPartnerRoutes(app: FastifyInstance, options: AdminPartnersOptions): void {
  const { partners, readPartnerStandings, credentials, clock, testCallback } = options;
  let tests = 0;

  const by = (request: FastifyRequest, reason = "") => ({ actor: operatorOf(request).name, reason });
  const json = async (request: FastifyRequest): Promise<void> => requireJson(request);
  const post = (
    path: string,
    schema: object,
    handler: (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>,
  ) => app.post(path, { onRequest: json, schema }, handler);

  async function partnerOf(request: FastifyRequest): Promise<Partner> {
    const { id } = request.params as { id: string };
    const partner = /^[A-Za-z0-9._-]{1,64}$/.test(id) ? await partners.find(id) : null;
    if (partner === null) throw unknown();
    return partner;
  }

  async function shown(list: readonly Partner[]) {
    const nowMs = clock.wallMs();
    const standings = await readPartnerStandings(
      list.map(({ id }) => id),
      nowMs,
    );
    return list.map((partner) => ({
      ...partnerView(partner, nowMs),
      ...partnerStandingView(standings.get(partner.id)!),
    }));
  }

  const shownNow = async (id: string) => partnerView((await partners.find(id))!, clock.wallMs());

  /** What a partner is to be, by the rules of PARTNERS_JSON. @throws Problem 400 */
  function checked(id: string, name: string, settings: Settings): PartnerSettings {
    const {
      hold_limit_secs: holdLimitSecs = null,
      failure_events: failureEvents = false,
      ...entry
    } = settings;
    const check = options.checkPartner({ id, token: "none", ...entry, name });
    if (!check.ok) {
      const errors = check.problems.map(({ pointer, detail }) => ({
        pointer: pointer === "/id" ? "/partner_id" : pointer,
        detail,
      }));
      throw new Problem("invalid-body", { errors: errors.slice(0, 20) });
    }
    const { seed } = check;
    const { allowlistCidrs, callbackHosts, rejectRepeats } = seed;
    const limit = {
      rateCapacity: seed.rateLimit?.capacity ?? null,
      ratePerSec: seed.rateLimit?.perSec ?? null,
    };
    return {
      name: seed.name,
      allowlistCidrs,
      callbackHosts,
      rejectRepeats,
      ...limit,
      holdLimitSecs,
      failureEvents,
    };
  }

  function sealed(secret: string): string {
    try {
      return credentials.seal(secret);
    } catch {
      throw new Problem("not-possible", {
        hint: "APP_HMAC_SECRET is not set: a signing secret is stored encrypted under it",
      });
    }
  }

  app.get("/admin/partners", { schema: LIST }, async (request, reply) => {
    const after = readQuery(request.query as object, AFTER).get("after")?.[0] ?? "";
    const found = await partners.page(String(after), PAGE);
    return reply.send(await shown(found));
  });

  app.get("/admin/partners/:id", { schema: ONE }, async (request, reply) => {
    const [partner] = await shown([await partnerOf(request)]);
    return reply.send(partner);
  });

  post("/admin/partners", ADD, async (request, reply) => {
    const { partner_id: id, name, own_signing_secret: isOwn = false, reason, ...settings } = readNew(request);
    const token = secretToken(TOKEN_PREFIX);
    const secret = isOwn ? newSigningSecret() : null;
    const partner = {
      id,
      ...checked(id, name, settings),
      tokenDigest: credentials.digest(token),
      signingSecret: secret === null ? null : sealed(secret),
      development: false,
    };
    if (!(await partners.add(partner, clock.wallMs(), by(request, reason)))) {
      throw new Problem("not-possible", { hint: "a partner with this partner_id exists already" });
    }
    return reply
      .code(201)
      .header("location", `/admin/partners/${id}`)
      .send({ ...(await shownNow(id)), token, ...(secret === null ? {} : { signing_secret: secret }) });
  });

  app.patch("/admin/partners/:id", { onRequest: json, schema: CHANGE }, async (request, reply) => {
    const partner = await partnerOf(request);
    const { reason, name = partner.name, ...changes } = readChange(request);
    const all = checked(partner.id, name, changes);
    // Only what was named: what somebody else changes at the same moment stays.
    const named = Object.entries(all).filter(([key]) => isNamed(key as keyof PartnerSettings, request));
    const settings = Object.fromEntries(named) as Partial<PartnerSettings>;
    await partners.set(partner.id, settings, clock.wallMs(), by(request, reason));
    return reply.send(await shownNow(partner.id));
  });

  for (const disabled of [true, false]) {
    const verb = disabled ? "disable" : "enable";
    post(`/admin/partners/:id/${verb}`, switchSchema(verb), async (request) => {
      const { id } = await partnerOf(request);
      await partners.setDisabled(id, disabled, clock.wallMs(), by(request, readWhy(request).reason));
      return shownNow(id);
    });
  }

  post("/admin/partners/:id/rotate-token", ROTATE_TOKEN, async (request, reply) => {
    const { id } = await partnerOf(request);
    const { overlap_secs: overlap = DAY_SECS, reason } = readRotate(request);
    const token = secretToken(TOKEN_PREFIX);
    const now = clock.wallMs();
    await partners.rotateToken(id, credentials.digest(token), now + overlap * 1000, now, by(request, reason));
    return reply.send({ ...(await shownNow(id)), token });
  });

  post("/admin/partners/:id/rotate-secret", ROTATE_SECRET, async (request, reply) => {
    const { id } = await partnerOf(request);
    const { overlap_secs: overlap = DAY_SECS, reason } = readRotate(request);
    const secret = newSigningSecret();
    const now = clock.wallMs();
    const { sharedSigningSecret: shared } = options;
    const previous = {
      inherited: shared === null ? null : sealed(shared),
      until: overlap === 0 ? null : now + overlap * 1000,
    };
    await partners.rotateSigningSecret(id, sealed(secret), previous, now, by(request, reason));
    return reply.send({ ...(await shownNow(id)), signing_secret: secret });
  });

  post("/admin/partners/:id/test-callback", TEST, async (request) => {
    const partner = await partnerOf(request);
    const { url, reason } = readTest(request);
    if (tests >= MAX_TESTS) throw new Problem("unavailable", { headers: { "retry-after": "1" } });
    tests += 1;
    const tested = await testCallback(partner, url).finally(() => (tests -= 1));
    const { code, error, durationMs, answer } = tested.record;
    const { host } = URL.parse(url) ?? { host: null };
    const act = { ...by(request, reason), detail: { host, code, error } };
    await partners.record(partner.id, "partner test callback", clock.wallMs(), act);
    return {
      event_id: tested.eventId,
      delivered: tested.delivered,
      finding: tested.finding,
      code,
      error,
      duration_ms: durationMs,
      answer,
      body: tested.body,
    };
  });
}

const NAMES: Readonly<Record<keyof PartnerSettings, keyof Settings>> = {
  name: "name",
  allowlistCidrs: "allowlist_cidrs",
  rateCapacity: "rate_limit",
  ratePerSec: "rate_limit",
  callbackHosts: "callback_hosts",
  rejectRepeats: "reject_repeats",
  holdLimitSecs: "hold_limit_secs",
  failureEvents: "failure_events",
};

function isNamed(setting: keyof PartnerSettings, request: FastifyRequest): boolean {
  return Object.hasOwn((request.body as { value: object }).value, NAMES[setting]);
}

function unknown(): Problem {
  return new Problem("not-found", { hint: "there is no such partner" });
}

const Id = Type.Object({
  id: Type.String({
    pattern: "^[A-Za-z0-9._-]{1,64}$",
    description: "the partner's id",
    examples: ["ota-one"],
  }),
});
const Shown = Type.Object({ ...PartnerView.properties, ...PartnerStandingView.properties });
const Token = Type.String({
  description: "shown once: what is stored can't tell it",
  examples: ["wgp_4Jc3kq0b9yqXl2v8mZtR1nHs7eDfGuWaPoIyKxVbC5M"],
});
const Secret = Type.String({ description: "shown once", examples: [EXAMPLE_SECRET] });
const ACT_PROBLEMS = ["invalid-json", "invalid-body", "body-too-large", "unsupported-media-type"] as const;
const acting = (operationId: string, summary: string, body: object, answers: Record<number, object>) =>
  adminSchema({
    operationId,
    summary,
    description: "Recorded with the operator, the reason and what has changed.",
    ...(operationId === "addPartner" ? {} : { params: Id }),
    consumes: ["application/json"],
    body,
    answers,
    problems: [...ACT_PROBLEMS, "not-found", "not-possible"],
  });

const LIST = adminSchema({
  operationId: "listPartners",
  summary: `Partners by id, ${PAGE} at a time, and how they fare`,
  description: "`after` with the last one's id brings the next page. Nothing secret is shown.",
  querystring: Type.Object(schemasOf(AFTER)),
  answers: { 200: jsonResponse("A page of partners.", Type.Array(Shown)) },
  problems: ["invalid-query"],
});
const ONE = adminSchema({
  operationId: "getPartner",
  summary: "A partner, and how it fares",
  description: "Its settings, and the last day's figures. Nothing secret is shown.",
  params: Id,
  answers: { 200: jsonResponse("The partner.", Shown) },
  problems: ["not-found"],
});
const ADD = acting("addPartner", "Add a partner; its token is shown once", NewPartnerBody, {
  201: jsonResponse(
    "The partner.",
    Type.Object({ ...PartnerView.properties, token: Token, signing_secret: Type.Optional(Secret) }),
    {
      Location: always(
        Type.String({ description: "the partner's path", examples: ["/admin/partners/ota-one"] }),
      ),
    },
  ),
});
const CHANGE = acting("changePartner", "Change what is named; it holds at once", ChangeBody, {
  200: jsonResponse("The partner.", PartnerView),
});
const switchSchema = (verb: "disable" | "enable") =>
  acting(
    `${verb}Partner`,
    verb === "disable"
      ? "Refuse its new requests; accepted orders run to their end"
      : "Let it in again, with the token it had",
    OnlyWhy,
    { 200: jsonResponse("The partner.", PartnerView) },
  );
const ROTATE_TOKEN = acting("rotatePartnerToken", "Give it a new token, shown once", RotateBody, {
  200: jsonResponse("The partner.", Type.Object({ ...PartnerView.properties, token: Token })),
});
const ROTATE_SECRET = acting("rotatePartnerSecret", "Give it a new signing secret, shown once", RotateBody, {
  200: jsonResponse("The partner.", Type.Object({ ...PartnerView.properties, signing_secret: Secret })),
});
/** What a test callback brought. */
export const TestedView = Type.Object({
  event_id: EventId,
  delivered: Type.Boolean({ description: "true: it was answered with 2xx", examples: [true] }),
  finding: Type.String({
    description: "one clause: what the other side did, or why nothing was sent",
    examples: ["the partner answered 200"],
  }),
  code: Code,
  error: AttemptError,
  duration_ms: DurationMs,
  answer: Type.Union([Type.String(), Type.Null()], {
    description: "how it began",
    examples: ['{"ok":true}'],
  }),
  body: Type.String({
    description: "as it was sent, if it was",
    examples: [
      canonicalJson({
        event: TEST_EVENT,
        event_id: EXAMPLE_TICKETED.eventId,
        occurred_at: isoTime(EXAMPLE_TICKETED.occurredAt),
        partner_id: "ota-one",
        sequence: 1,
      }),
    ],
  }),
});
export type TestedView = Static<typeof TestedView>;

const TEST = acting(
  "testPartnerCallback",
  `Send a signed ${TEST_EVENT} event to a URL of the partner's`,
  TestBody,
  {
    200: jsonResponse(
      "What came back. It goes through the same guard and signatures as a callback; nothing is stored but the act.",
      TestedView,
    ),
  },
);
