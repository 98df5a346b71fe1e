import type { FastifyInstance } from "fastify";
import { Type } from "typebox";
import type { Clock } from "../../lib/clock.ts";
import { integer, schemasOf, time } from "../../orders/outward-fields.ts";
import type { ErrorGroups } from "../../storage/error-groups.ts";
import type { OverviewQueries } from "../../storage/overview.ts";
import { adminSchema } from "../admin-schema.ts";
import { jsonResponse } from "../openapi.ts";
import { readQuery } from "../order-filter-query.ts";
import {
  ErrorGroupsView,
  errorGroupsView,
  OverviewView,
  overviewView,
  todayAndTomorrow,
} from "../overview-view.ts";

export interface AdminOverviewOptions {
  readonly overview: OverviewQueries["overview"];
  readonly errorGroups: Pick<ErrorGroups, "list">;
  /** IANA: which day is today for visitors. */
  readonly venueTimeZone: string;
  /** The one that orders are ticketed at, or null. */
  readonly ticketingHost: string | null;
  readonly clock: Clock;
}

const DAY_MS = 86_400_000;
const DEFAULT_HOURS = 24;
const HOURS = {
  hours: integer(`a whole number from 1 to 48; ${DEFAULT_HOURS} if left out`, 1, 48, DEFAULT_HOURS),
};
const SINCE = {
  since: time("a time or date (RFC 3339): attempts from then on count; a day ago if left out"),
};

/** `GET /admin/overview`, `GET /admin/errors`. */
export function addAdminOverviewRoutes(app: FastifyInstance, options: AdminOverviewOptions): void {
  const { overview, errorGroups, venueTimeZone, ticketingHost, clock } = options;

  // oxlint-disable-next-line oxc/no-async-endpoint-handlers -- Fastify awaits its handlers; Express didn't
  app.get("/admin/overview", { schema: OVERVIEW_SCHEMA }, async (request) => {
    const hours = Number(readQuery(request.query as object, HOURS).get("hours")?.[0] ?? DEFAULT_HOURS);
    const nowMs = clock.wallMs();
    const told = await overview(hours, todayAndTomorrow(nowMs, venueTimeZone), nowMs);
    return overviewView(told, nowMs, venueTimeZone);
  });

  // oxlint-disable-next-line oxc/no-async-endpoint-handlers -- Fastify awaits its handlers; Express didn't
  app.get("/admin/errors", { schema: ERRORS_SCHEMA }, async (request) => {
    const given = readQuery(request.query as object, SINCE).get("since")?.[0];
    const since = Number(given ?? clock.wallMs() - DAY_MS);
    return errorGroupsView(await errorGroups.list(since), since, ticketingHost);
  });
}

const OVERVIEW_SCHEMA = adminSchema({
  operationId: "getOverview",
  summary: "How the gateway fares: hours, latency, health, and visits without tickets",
  description:
    "What an operator looks at first. Figures that would take long to count are lower bounds, and say so (`at_least`).",
  querystring: Type.Object(schemasOf(HOURS)),
  answers: { 200: jsonResponse("The overview.", OverviewView) },
  problems: ["invalid-query"],
});

const ERRORS_SCHEMA = adminSchema({
  operationId: "listErrorGroups",
  summary: "What fails, in groups of one cause",
  description:
    "Orders that stand still or wait for another attempt now, and the attempts of a time, by leg, host, status or error, and " +
    "what was said.",
  querystring: Type.Object(schemasOf(SINCE)),
  answers: { 200: jsonResponse("The groups.", ErrorGroupsView) },
  problems: ["invalid-query"],
});
