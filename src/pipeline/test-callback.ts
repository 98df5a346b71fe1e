import type { Clock } from "../lib/clock.ts";
import { eventId, uuidV7 } from "../lib/ids.ts";
import { isoTime } from "../lib/iso-time.ts";
import { canonicalJson } from "../orders/fingerprint.ts";
import type { Partner } from "../storage/partners.ts";
import type { AttemptRecord } from "../storage/jobs.ts";
import type { Step } from "./attempt.ts";

export interface TestedCallback {
  readonly eventId: string;
  /** As it was sent, if it was. */
  readonly body: string;
  readonly delivered: boolean;
  /** One clause: what the other side did, or why nothing was sent. */
  readonly finding: string;
  readonly record: AttemptRecord;
}

/** Tries a partner's endpoint with a signed event that is no order's. Nothing of it is stored. */
export type TestCallback = (partner: Partner, url: string) => Promise<TestedCallback>;

export const TEST_EVENT = "wavegate.test";
const NO_JOB = 0;

/** @param step the callback leg's own: the same guard, deadline and signatures */
export function createTestCallback(step: Step, clock: Pick<Clock, "wallMs">): TestCallback {
  return async (partner, url) => {
    const nowMs = clock.wallMs();
    const id = eventId(nowMs);
    const body = canonicalJson({
      event: TEST_EVENT,
      event_id: id,
      sequence: 1,
      occurred_at: isoTime(nowMs),
      partner_id: partner.id,
    });
    const { outcome, finding, record } = await step({
      jobId: NO_JOB,
      orderId: NO_JOB,
      partnerId: partner.id,
      claim: "",
      no: 1,
      attemptInRun: 1,
      runStartedAt: nowMs,
      startedAt: nowMs,
      dueAt: nowMs,
      isRetry: false,
      externalOrderId: "TEST",
      traceId: uuidV7(nowMs),
      rawPayload: "",
      callbackUrl: url,
      callback: {
        event: { name: TEST_EVENT, id, body },
        hosts: partner.callbackHosts,
        signingSecret: partner.signingSecret,
        previousSigningSecret: partner.previousSigningSecret,
        previousSigningSecretUntil: partner.previousSigningSecretUntil,
      },
    });
    return { eventId: id, body, delivered: outcome === "done", finding, record };
  };
}
