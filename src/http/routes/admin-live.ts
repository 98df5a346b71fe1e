import { Readable } from "node:stream";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { type TSchema, Type } from "typebox";
import { createLive, type LiveEvent, type LiveOptions } from "../../pipeline/live.ts";
import { adminSchema } from "../admin-schema.ts";
import type { Authentication } from "../authenticate.ts";
import { EVENT_STREAM } from "../headers.ts";
import { type LastEvent, liveText } from "../live-view.ts";
import { operatorOf } from "../operator-of.ts";
import { Problem } from "../problem-reply.ts";

export interface AdminLiveOptions extends Omit<LiveOptions, "pollMs"> {
  readonly authenticate: Pick<Authentication, "stillSignedIn">;
  readonly liveLimits?: LiveLimits;
}

/** Other than the usual ones, for tests. */
interface LiveLimits {
  readonly pollMs?: number;
  readonly maxListeners?: number;
  readonly maxOfOne?: number;
  readonly maxUnreadBytes?: number;
}

/** Streams of a process. A browser has one for each of its windows. */
const MAX_LISTENERS = 200;
/** Of one operator: whoever takes as many as there are keeps nobody else out. */
const MAX_OF_ONE = 100;
/** Some looks with as many orders as they can name. Who doesn't read them is let go, and may come again. */
const MAX_UNREAD_BYTES = 64 * 1024;
/** For the last words to those who read. */
const LINGER_MS = 1000;
/** How long an EventSource waits before it comes again. */
const PREAMBLE = "retry: 2000\n\n";

/** `GET /admin/live`. Whether each who listens still may is asked with every look. */
export function addAdminLiveRoute(app: FastifyInstance, options: AdminLiveOptions): void {
  const {
    maxListeners = MAX_LISTENERS,
    maxOfOne = MAX_OF_ONE,
    maxUnreadBytes = MAX_UNREAD_BYTES,
    pollMs,
  } = options.liveLimits ?? {};
  const live = createLive({ ...options, pollMs });
  /** Each with its operator's name. */
  const streams = new Map<Readable, string>();
  // Or else the end of the process would wait for them.
  app.addHook("preClose", async () => live.close());

  app.get("/admin/live", { schema: SCHEMA }, async (request, reply) => {
    if (request.method === "HEAD") return reply.type(EVENT_STREAM).send("");
    const { name } = operatorOf(request);
    const ofOne = [...streams.values()].filter((each) => each === name).length;
    if (streams.size >= maxListeners || ofOne >= maxOfOne) {
      const hint = `${streams.size} are looking on, ${ofOne} of them by this operator's token or sessions`;
      throw new Problem("unavailable", { hint, headers: { "retry-after": "10" } });
    }
    // Nothing else can follow on the connection while it lasts, and proxies should pass each event on at once.
    void reply.headers({ connection: "close", "x-accel-buffering": "no" }).type(EVENT_STREAM);
    return reply.send(streamFor(request, name));
  });

  function streamFor(request: FastifyRequest, name: string): Readable {
    const stream = new Readable({ read() {} });
    const over = new AbortController();
    let isAsking = false;

    function end(event: LastEvent): void {
      if (over.signal.aborted) return;
      over.abort();
      stream.push(liveText(event));
      stream.push(null);
      setTimeout(() => stream.destroy(), LINGER_MS).unref();
    }

    async function endUnlessSignedIn(): Promise<void> {
      if (isAsking) return;
      isAsking = true;
      if (!(await isSignedIn(request))) end({ kind: "signed_out" });
      isAsking = false;
    }

    function hear(event: LiveEvent): void {
      if (event.kind === "closing") return end(event);
      stream.push(liveText(event));
      if (stream.readableLength > maxUnreadBytes) stream.destroy();
      // What it has heard meanwhile names orders by their numbers alone.
      else void endUnlessSignedIn();
    }

    streams.set(stream, name);
    stream.once("close", () => {
      over.abort();
      streams.delete(stream);
    });
    stream.push(PREAMBLE);
    live.listen(hear, over.signal);
    return stream;
  }

  /** As far as it can be told: while the database is away, all that is told is that. */
  function isSignedIn(request: FastifyRequest): Promise<boolean> {
    return options.authenticate.stillSignedIn(request).catch(() => true);
  }
}

const STREAM: TSchema = Type.String({
  description: [
    "Server-sent events. `look`, about once a second: the orders that came or changed since the one before.",
    "`trouble`: the database can't be read. `end`: the last one, with its reason.",
  ].join(" "),
  examples: [
    `${PREAMBLE}${liveText({
      kind: "look",
      at: Date.UTC(2026, 7, 25, 7, 9, 55, 123),
      orders: [{ id: 123, status: "ticketed", came: false }],
      more: false,
      held: false,
      ticketingFails: false,
    })}`,
  ],
});

const SCHEMA = adminSchema({
  operationId: "followOrders",
  summary: "What happens to orders, live",
  description:
    "Begins with a look that names none: what was read before it may be old, and what changes after it is told. It ends when its operator " +
    "is signed out or disabled, and with the process; a client that doesn't read is cut off. Come again whenever it ends.",
  answers: {
    200: {
      description: "Events, for as long as you listen.",
      content: { [EVENT_STREAM]: { schema: STREAM } },
    },
  },
  problems: ["unavailable"],
});
