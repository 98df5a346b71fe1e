import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  type NotFoundRouteProps,
} from "@tanstack/react-router";
import { CONSOLE_PATH } from "./api/client.ts";
import { OrdersPage } from "./pages/orders/orders-page.tsx";
import { readErrorsSearch } from "./search/errors-search.ts";
import { ORDER_TABS, type OrderTab } from "./search/order-tabs.ts";
import { readBulkSearch, readOrdersSearch } from "./search/orders-search.ts";
import { parseSearch, stringifySearch } from "./search/query-string.ts";
import { NotFound, PageFailed } from "./shell/fallbacks.tsx";
import { Shell } from "./shell/shell.tsx";

const root = createRootRoute({
  validateSearch: readBulkSearch,
  component: Shell,
  notFoundComponent: (_props: NotFoundRouteProps) => <NotFound />,
});

const text = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : undefined;

const orders = createRoute({
  getParentRoute: () => root,
  path: "/",
  validateSearch: readOrdersSearch,
  // The home page comes with the first load: no second turn before anything is shown.
  component: OrdersPage,
});

const order = createRoute({
  getParentRoute: () => root,
  path: "/orders/$id",
  validateSearch: (raw: Record<string, unknown>): { tab?: OrderTab } => {
    const tab = ORDER_TABS.find((each) => each === raw["tab"]);
    return tab === undefined || tab === "timeline" ? {} : { tab };
  },
  component: lazyRouteComponent(() => import("./pages/order/order-page.tsx"), "OrderPage"),
});

const errors = createRoute({
  getParentRoute: () => root,
  path: "/errors",
  validateSearch: readErrorsSearch,
  component: lazyRouteComponent(() => import("./pages/errors/errors-page.tsx"), "ErrorsPage"),
});

const overview = createRoute({
  getParentRoute: () => root,
  path: "/overview",
  validateSearch: (raw: Record<string, unknown>): { hours?: 48 } =>
    raw["hours"] === "48" ? { hours: 48 } : {},
  component: lazyRouteComponent(() => import("./pages/overview/overview-page.tsx"), "OverviewPage"),
});

/** "They say that they sent EXT-42": what was refused under that id. */
interface RefusalSearch {
  readonly external_order_id?: string | undefined;
}

function readRefusalSearch(raw: Record<string, unknown>): RefusalSearch {
  const id = text(raw["external_order_id"]);
  return id === undefined ? {} : { external_order_id: id };
}

const partners = createRoute({
  getParentRoute: () => root,
  path: "/partners",
  validateSearch: readRefusalSearch,
  component: lazyRouteComponent(() => import("./pages/partners/partners-page.tsx"), "PartnersPage"),
});

const partner = createRoute({
  getParentRoute: () => root,
  path: "/partners/$id",
  validateSearch: (raw: Record<string, unknown>): RefusalSearch & { tab?: "door" | undefined } => ({
    ...readRefusalSearch(raw),
    ...(raw["tab"] === "door" && { tab: "door" as const }),
  }),
  component: lazyRouteComponent(() => import("./pages/partners/partner-page.tsx"), "PartnerPage"),
});

export function createConsoleRouter() {
  return createRouter({
    routeTree: root.addChildren([orders, order, errors, overview, partners, partner]),
    basepath: CONSOLE_PATH,
    parseSearch,
    stringifySearch,
    // What no page knows of an address reaches none: it would come beside what has been read of it.
    search: { strict: true },
    scrollRestoration: true,
    defaultErrorComponent: PageFailed,
    defaultPreload: "intent",
    // What a page shows is kept by the queries, not by the router.
    defaultPreloadStaleTime: 0,
  });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof createConsoleRouter>;
  }
}
