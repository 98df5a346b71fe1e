import { STATUS_CODES } from "node:http";
import { signingKey, verifyCallback } from "../outbound/signature.ts";
import { type LoopbackServer, header, parseJson, serveOnLoopback } from "./loopback-server.ts";
import { createMemory } from "./memory.ts";
import { type Answer, answerFor, isSuccess, parseScript, play, reply } from "./scripted-answer.ts";

/** A callback as it arrived. */
export interface ReceivedCallback {
  /** Its `webhook-id`; null if it had none. */
  readonly eventId: string | null;
  readonly traceId: string | null;
  /** What it is answered with. */
  readonly status: Answer;
  /** False: the signature was missing or wrong. */
  readonly verified: boolean;
  /** True if the partner had already taken this event. */
  readonly duplicate: boolean;
  /** The parsed body; undefined if it wasn't JSON. */
  readonly body: unknown;
}

/** What the partner knows of one event whose signature was right. */
interface ReceivedEvent {
  readonly eventId: string;
  /** Times it arrived. */
  readonly deliveries: number;
  /** Times it was answered with success: more than once means that it came again after it had been taken. */
  readonly taken: number;
}

export interface SandboxPartner extends LoopbackServer {
  /** The latest events, each once. */
  readonly received: () => ReceivedEvent[];
}

export interface SandboxPartnerOptions {
  /** As `CALLBACK_SIGNING_SECRET` (SPEC section 2). */
  readonly signingSecret: string;
  /** Told of each callback, as soon as its answer is decided. */
  onCallback?(callback: ReceivedCallback): void;
}

/**
 * A partner to try the gateway with. It takes callbacks whose Standard Webhooks signature is right, and refuses
 * others with 401. Its URL may be given `?answers=503,timeout,200`: what each event's first, second, third ...
 * delivery is answered with.
 *
 * @throws Error if the signing secret is not one
 */
export async function startSandboxPartner(options: SandboxPartnerOptions): Promise<SandboxPartner> {
  const keys = [signingKey(options.signingSecret)];
  const events = createMemory((eventId) => ({ eventId, deliveries: 0, taken: 0 }));

  const server = await serveOnLoopback("/callbacks", (request, body, response) => {
    const query = new URLSearchParams(request.url?.split("?")[1]);
    const script = parseScript(query.get("answers") ?? "200");
    if (script === null) return reply(response, 400, { error: "answers must be like 503,timeout,200" });

    const eventId = header(request, "webhook-id");
    const { headers } = request;
    const verified = verifyCallback({ body, headers, keys, nowSecs: Date.now() / 1000 });
    // Only what is signed is remembered: nobody else can fill the memory or use up a script.
    const event = verified && eventId !== null ? events.recall(eventId) : null;
    if (event !== null) event.deliveries += 1;
    const status = event === null ? 401 : answerFor(script, event.deliveries);
    const duplicate = event !== null && event.taken > 0;
    if (event !== null && isSuccess(status)) event.taken += 1;

    const traceId = header(request, "x-trace-id");
    options.onCallback?.({ eventId, traceId, status, verified, duplicate, body: parseJson(body) });
    play(response, status, isSuccess(status) ? { received: eventId, duplicate } : { error: problem(status) });
  });
  return {
    ...server,
    received: () => events.values().map(({ eventId, deliveries, taken }) => ({ eventId, deliveries, taken })),
  };
}

function problem(status: Answer): string {
  if (status === 401) return "the signature is missing or wrong";
  return (typeof status === "number" && STATUS_CODES[status]) || "refused";
}
