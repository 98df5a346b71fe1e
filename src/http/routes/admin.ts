import type { FastifyInstance } from "fastify";
import type { Log } from "../../observe/log.ts";
import { tellActed } from "../acted.ts";
import type { Authentication } from "../authenticate.ts";
import { OPERATOR } from "../operator-of.ts";
import { isRead } from "../same-origin.ts";
import { addAdminActionRoutes, type AdminActionsOptions } from "./admin-actions.ts";
import { addAdminBulkRoutes, type AdminBulkOptions } from "./admin-bulk.ts";
import { addAdminExportRoute, type AdminExportOptions } from "./admin-export.ts";
import { addAdminLiveRoute, type AdminLiveOptions } from "./admin-live.ts";
import { addAdminListRoutes, type AdminListsOptions } from "./admin-lists.ts";
import { addAdminOrdersRoutes, type AdminOrdersOptions } from "./admin-orders.ts";
import { addAdminOverviewRoutes, type AdminOverviewOptions } from "./admin-overview.ts";
import { addAdminPartnerRoutes, type AdminPartnersOptions } from "./admin-partners.ts";
import { addAdminOrderRoute, type AdminOrderOptions } from "./admin-order.ts";
import { addAdminSessionRoutes, type AdminSessionOptions } from "./admin-session.ts";

export interface AdminRoutesOptions
  extends
    AdminOrdersOptions,
    AdminListsOptions,
    AdminOrderOptions,
    AdminOverviewOptions,
    Omit<AdminPartnersOptions, "partners" | "credentials" | "clock">,
    Pick<AdminExportOptions, "exportPages">,
    Omit<AdminActionsOptions, "orders">,
    Omit<AdminBulkOptions, "orderSearch">,
    Omit<AdminLiveOptions, "authenticate">,
    Omit<AdminSessionOptions, "authenticate"> {
  readonly authenticate: Authentication;
  readonly log: Log;
  readonly partners: AdminPartnersOptions["partners"];
  readonly credentials: AdminPartnersOptions["credentials"];
}

/**
 * `/admin`: what operators see and do. Every route asks for an operator's token or session before anything else of the
 * request is looked at, also under `--dev`: reads (GET) for any, everything else for one who may act. Signing in and out alone
 * stand outside.
 */
export function addAdminRoutes(app: FastifyInstance, options: AdminRoutesOptions): void {
  addAdminSessionRoutes(app, options);
  app.register(async (admin) => {
    admin.decorateRequest(OPERATOR, null);
    admin.addHook("onRequest", async (request, reply) => {
      const needed = isRead(request) ? "viewer" : "operator";
      const { operator, renewal } = await options.authenticate.signedIn(request, needed);
      if (renewal !== null) void reply.header("set-cookie", renewal);
      request.setDecorator(OPERATOR, operator);
    });
    tellActed(admin, options.log);
    // One line for each file of routes.
    addAdminOrdersRoutes(admin, options);
    addAdminListRoutes(admin, options);
    addAdminOrderRoute(admin, options);
    addAdminOverviewRoutes(admin, options);
    addAdminActionRoutes(admin, options);
    addAdminBulkRoutes(admin, options);
    addAdminExportRoute(admin, options);
    addAdminPartnerRoutes(admin, options);
    addAdminLiveRoute(admin, options);
  });
}
