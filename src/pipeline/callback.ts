import { createSecretKey, type KeyObject } from "node:crypto";
import type { Clock } from "../lib/clock.ts";
import { retryAfterMs } from "../lib/retry-after.ts";
import { attemptSpanId } from "../lib/trace-context.ts";
import { TICKETED_EVENT } from "../orders/callback-event.ts";
import { classify } from "../orders/outcome.ts";
import { type CallbackPolicy, checkCallbackUrl } from "../outbound/callback-url.ts";
import type { HttpClient } from "../outbound/http-client.ts";
import { callbackHeaders, signingKey } from "../outbound/signature.ts";
import type { ClaimedJob } from "../storage/jobs.ts";
import { attemptHeaders, findingOf, keptAnswer, type Step, type Verdict, withoutQuery } from "./attempt.ts";

/** More is not read: the outcome is the status line (SPEC section 4). */
const MAX_ANSWER_BYTES = 64 * 1024;

export interface CallbackOptions {
  /** Its connections pass the address guard. */
  readonly client: HttpClient;
  readonly policy: CallbackPolicy;
  /** Signs for partners without a secret of their own; null: their callbacks go unsigned. */
  readonly signingSecret: string | null;
  /** Opens a partner's sealed secret. */
  unseal(sealed: string): string;
  /** One deadline over the whole exchange. */
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/** The third step of the order's way: tells the partner, with the same bytes on every attempt. */
export function createCallbackStep(options: CallbackOptions): Step {
  const { client, policy, timeoutMs, clock } = options;
  const keysFor = createKeys(options);
  return async (job) => {
    const { event, hosts } = job.callback!;
    const check = checkCallbackUrl(job.callbackUrl, policy, hosts);
    if (!check.ok) return refused(`callback_url is not allowed any more: ${check.reason}`);
    const keys = keysFor(job);
    if (keys === null)
      return refused("the partner's signing secret can't be opened: APP_HMAC_SECRET has changed");
    const spanId = attemptSpanId("callback", job);
    const answer = await client.post({
      url: check.url,
      headers: {
        ...attemptHeaders(job, event.name === TICKETED_EVENT ? job.traceId : event.id, spanId),
        ...callbackHeaders({
          body: event.body,
          eventId: event.id,
          timestampSecs: Math.floor(clock.wallMs() / 1000),
          keys,
        }),
      },
      body: event.body,
      deadlineMs: timeoutMs,
      maxBodyBytes: MAX_ANSWER_BYTES,
      wholeBody: false,
    });
    const { code, error, body, detail, timings } = answer;
    return {
      outcome: classify("callback", answer, "retry"),
      record: {
        code,
        error,
        durationMs: Math.round(answer.durationMs),
        answer: keptAnswer(body),
        note: detail || null,
      },
      retryAfterMs: code === 429 || code === 503 ? retryAfterMs(answer.retryAfter, clock.wallMs()) : null,
      finding: findingOf("callback", answer),
      ticketed: null,
      sent: { spanId, url: withoutQuery(check.url), timings },
    };
  };
}

/** Nothing was sent, and nothing will be until a person has changed something. */
function refused(finding: string): Verdict {
  return {
    outcome: "blocked",
    record: { code: null, error: "guard", durationMs: 0, answer: null, note: finding },
    retryAfterMs: null,
    finding,
    ticketed: null,
  };
}

/** Opened keys that are kept: partners with a secret of their own, and the previous ones of those. */
const MAX_KEYS = 2_000;

/**
 * The current key first, the partner's or else the global one, then the previous one while it is valid; null when they
 * can't be had. What has been opened once is kept by its sealed form.
 */
function createKeys({ signingSecret: shared, unseal, clock }: CallbackOptions) {
  const opened = new Map<string, KeyObject>();
  const keyOf = (secret: string): KeyObject => createSecretKey(signingKey(secret));
  const sharedKey = shared === null ? [] : [keyOf(shared)];
  function open(sealed: string): KeyObject {
    const known = opened.get(sealed);
    if (known) return known;
    const key = keyOf(unseal(sealed));
    if (opened.size >= MAX_KEYS) opened.clear();
    opened.set(sealed, key);
    return key;
  }
  return ({ callback }: ClaimedJob): KeyObject[] | null => {
    const { signingSecret, previousSigningSecret: previous, previousSigningSecretUntil: until } = callback!;
    const isValid = (until ?? 0) > clock.wallMs();
    try {
      const current = signingSecret === null ? sharedKey : [open(signingSecret)];
      return isValid && previous !== null ? [...current, open(previous)] : current;
    } catch {
      return null;
    }
  };
}
