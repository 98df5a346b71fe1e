import { type Query, queryString } from "../search/query-string.ts";
import { hearTime } from "./gateway-clock.ts";

/** Where the gateway's API begins, below whatever path a proxy puts before it. Ends with a slash. */
export const API_BASE = new URL("../", document.baseURI);
/** Where the console itself lies, as the browser sees it. */
export const CONSOLE_PATH = new URL(".", document.baseURI).pathname;

const TIMEOUT_MS = 20_000;
/** Tells the gateway that nobody clicked: it doesn't keep a session awake. */
const BACKGROUND = "x-wavegate-background";

export interface ProblemDetail {
  readonly pointer: string;
  readonly detail: string;
}

/** What the gateway answered in place of what was asked for (RFC 9457), or why it gave no answer (status 0). */
export class ApiProblem extends Error {
  override readonly name = "ApiProblem";
  readonly status: number;
  readonly errors: readonly ProblemDetail[];
  /** Seconds after which it may be tried again, if the gateway said so. */
  readonly retryAfterSecs: number | null;
  /** The problem's name, as `operator-needed`, if the gateway said so. */
  readonly kind: string | null;

  constructor(
    status: number,
    message: string,
    errors: readonly ProblemDetail[] = [],
    retryAfterSecs: number | null = null,
    kind: string | null = null,
  ) {
    super(message);
    this.status = status;
    this.errors = errors;
    this.retryAfterSecs = retryAfterSecs;
    this.kind = kind;
  }
}

export interface Call {
  readonly method?: "GET" | "POST" | "PATCH" | "DELETE";
  readonly query?: Query | URLSearchParams;
  readonly body?: object;
  /** Acts once however often it is sent. */
  readonly idempotencyKey?: string;
  /** True: no person asked for it. */
  readonly background?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Asks the gateway.
 *
 * @param path below the gateway's own, without a leading slash: `admin/orders`
 * @throws ApiProblem whatever went wrong
 */
export async function call<T>(path: string, options: Call = {}): Promise<T> {
  const { method = "GET", query = {}, body, idempotencyKey, background = false, signal } = options;
  const url = new URL(path, API_BASE);
  url.search = queryString(query);
  const response = await answerTo(url, {
    method,
    credentials: "same-origin",
    headers: {
      accept: "application/json",
      ...(body && { "content-type": "application/json" }),
      ...(idempotencyKey && { "idempotency-key": idempotencyKey }),
      ...(background && { [BACKGROUND]: "1" }),
    },
    ...(body && { body: JSON.stringify(body) }),
    signal: AbortSignal.any([AbortSignal.timeout(TIMEOUT_MS), ...(signal ? [signal] : [])]),
  });
  if (!response.ok) throw await problemOf(response);
  return (response.status === 204 ? undefined : await orUnanswered(() => response.json())) as T;
}

async function answerTo(url: URL, init: RequestInit): Promise<Response> {
  const response = await orUnanswered(() => fetch(url, init));
  hearTime(response.headers.get("date"));
  return response;
}

/** An answer may break off, or be that of whoever stands in between: a page to sign in with, and status 200. */
async function orUnanswered<T>(step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    const { name } = error as Error;
    if (name === "AbortError") throw error;
    if (name === "SyntaxError") throw new ApiProblem(502, "Something else answered in the gateway's place.");
    const isLate = name === "TimeoutError";
    throw new ApiProblem(0, isLate ? "The gateway didn't answer in time." : "The gateway can't be reached.");
  }
}

async function problemOf(response: Response): Promise<ApiProblem> {
  // Others on the way answer in words of their own.
  const told = ((await response.json().catch(() => null)) ?? {}) as {
    type?: string;
    detail?: string;
    title?: string;
    errors?: ProblemDetail[];
  };
  const retryAfter = Number(response.headers.get("retry-after") ?? Number.NaN);
  const words = told.detail ?? told.title ?? `The gateway answered ${response.status}.`;
  return new ApiProblem(
    response.status,
    words,
    Array.isArray(told.errors) ? told.errors : [],
    Number.isFinite(retryAfter) ? retryAfter : null,
    /^urn:wavegate:problem:([a-z-]+)$/.exec(told.type ?? "")?.[1] ?? null,
  );
}
