// The server's own types: what it answers can't drift away from what is shown here.
import type { Static } from "typebox";
import type { AdminOrderView as OrderStory } from "../../../src/http/admin-order-view.ts";
import type {
  BulkJobView as BulkJob,
  BulkResultView as BulkOrderResult,
} from "../../../src/http/bulk-view.ts";
import type { ErrorGroupsView, OverviewView as Overview } from "../../../src/http/overview-view.ts";
import type { PartnerStandingView, PartnerView as Partner } from "../../../src/http/partner-view.ts";
import type { CountsView, ListedOrderView as ListedOrder } from "../../../src/http/routes/admin-orders.ts";
import type { TestedView as TestedCallback } from "../../../src/http/routes/admin-partners.ts";
import type { AuthEventView, RejectionView } from "../../../src/http/routes/admin-lists.ts";
import type { LiveLookView as Look } from "../../../src/http/live-view.ts";
import type { SessionView as Session } from "../../../src/http/session-view.ts";
import type { JobStatus, Leg, OrderStatus } from "../../../src/orders/states.ts";

export type {
  BulkJob,
  BulkOrderResult,
  JobStatus,
  Leg,
  ListedOrder,
  Look,
  OrderStatus,
  OrderStory,
  Overview,
  Partner,
  Session,
  TestedCallback,
};
export type Moment = OrderStory["timeline"][number];
export type Verdict = OrderStory["verdict"];
export type NextAttempt = OrderStory["next_attempts"][number];
export type CallbackJob = OrderStory["callbacks"][number];
export type ErrorGroups = ErrorGroupsView;
export type ErrorGroup = ErrorGroupsView["groups"][number];
export type PartnerStanding = PartnerStandingView;
export type PartnerWithStanding = Partner & PartnerStanding;
export type Counts = Static<typeof CountsView>;
export type AuthEvent = Static<typeof AuthEventView>;
export type Rejection = Static<typeof RejectionView>;
