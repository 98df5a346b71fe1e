import { createHash } from "node:crypto";
import { STATUS_CODES } from "node:http";
import { type Static, Type } from "typebox";
import { Compile } from "typebox/compile";
import { type LoopbackServer, header, parseJson, serveOnLoopback } from "./loopback-server.ts";
import { createMemory } from "./memory.ts";
import { type Answer, Script, answerFor, isSuccess, play, reply } from "./scripted-answer.ts";

/** What an attempt looked like from ticketing's side. */
export interface TicketingRequest {
  readonly traceId: string | null;
  readonly externalOrderId: string | null;
  /** Counts the requests with this Idempotency-Key from 1. */
  readonly attempt: number;
  /** What it is answered with. */
  readonly status: Answer;
}

export interface SandboxTicketingOptions {
  /** Told of each request with an Idempotency-Key, as soon as its answer is decided. */
  onRequest?(request: TicketingRequest): void;
}

const MAX_KEY_LENGTH = 255;
const MAX_TICKETS = 1000;
const SCRIPTED =
  '{"ticketing": [500, "timeout", 200], "delay_ms": 50}, of statuses from 200 to 599, "timeout", "reset", "garbage", "empty"';

/** What the sandbox looks at; all else passes unseen. `sandbox` is the script that an order may bring along. */
const Order = Type.Object({
  items: Type.Array(
    Type.Object({
      sku: Type.String(),
      qty: Type.Integer({ minimum: 1 }),
      visit_date: Type.Optional(Type.String()),
    }),
    { minItems: 1 },
  ),
  sandbox: Type.Optional(
    Type.Object({
      ticketing: Type.Optional(Script),
      delay_ms: Type.Optional(Type.Integer({ minimum: 0, maximum: 20_000 })),
    }),
  ),
});
type Order = Static<typeof Order>;

const validator = Compile(Order);

/**
 * An operator's ticketing system to try the gateway with. It issues one ticket for each unit ordered, the same
 * ones to every request with the same Idempotency-Key. An order may script it by a top-level field:
 * `"sandbox": {"ticketing": [500, "timeout", 200], "delay_ms": 50}`.
 */
export async function startSandboxTicketing(options: SandboxTicketingOptions = {}): Promise<LoopbackServer> {
  const keys = createMemory(() => ({ attempts: 0, sold: "" }));

  return serveOnLoopback("/orders", (request, body, response) => {
    const key = header(request, "idempotency-key");
    if (key === null || key.length > MAX_KEY_LENGTH) {
      return reply(response, 400, {
        error: `an Idempotency-Key of 1 to ${MAX_KEY_LENGTH} characters is required`,
      });
    }
    const seen = keys.recall(key);
    seen.attempts += 1;
    const answerWith = (status: Answer, json: object, delayMs = 0): void => {
      options.onRequest?.({
        traceId: header(request, "x-trace-id"),
        externalOrderId: header(request, "x-external-order-id"),
        attempt: seen.attempts,
        status,
      });
      play(response, status, json, delayMs);
    };

    const order = parseJson(body);
    if (!validator.Check(order)) return answerWith(400, { error: complaint(order) });
    const answer = answerFor(order.sandbox?.ticketing ?? [200], seen.attempts);
    const delayMs = order.sandbox?.delay_ms ?? 0;
    if (!isSuccess(answer)) return answerWith(answer, refusal(answer, order), delayMs);
    const sold = digest(JSON.stringify(order.items)).toString("base64");
    if (seen.sold !== "" && seen.sold !== sold) {
      return answerWith(409, { error: "this Idempotency-Key has bought other tickets" });
    }
    seen.sold = sold;
    answerWith(answer, confirmation(key, order), delayMs);
  });
}

function complaint(order: unknown): string {
  if (order === undefined) return "the body is not JSON";
  const [first] = validator.Errors(order);
  if (first?.instancePath.startsWith("/sandbox")) return `/sandbox must be like ${SCRIPTED}`;
  return `${first?.instancePath || "the body"} ${first?.message ?? "is invalid"}`;
}

function refusal(answer: Answer, order: Order): object {
  if (answer === 422) return { error: `SKU ${order.items[0]?.sku} is not on sale` };
  return { error: (typeof answer === "number" && STATUS_CODES[answer]) || "refused" };
}

/** Follows from the key alone, so that it stays the same when the key has been forgotten. */
function confirmation(key: string, order: Order): object {
  const reference = `TK-${readable(digest(key))}`;
  const tickets: object[] = [];
  for (const { sku, qty, visit_date } of order.items) {
    for (let unit = 0; unit < qty && tickets.length < MAX_TICKETS; unit += 1) {
      const code = `${reference}-${String(tickets.length + 1).padStart(4, "0")}`;
      tickets.push({ code, sku, ...(visit_date === undefined ? {} : { visit_date }) });
    }
  }
  return { reference, tickets };
}

/** Ten letters and digits that nobody mistakes for another (Crockford's base 32). */
function readable(bytes: Buffer): string {
  const letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  const text = Array.from(bytes.subarray(0, 10), (byte) => letters[byte % letters.length]).join("");
  return `${text.slice(0, 5)}-${text.slice(5)}`;
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
