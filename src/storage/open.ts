import { createAuthEvents, type AuthEvents } from "./auth-events.ts";
import { createCircuits, type Circuits } from "./circuits.ts";
import { type Changes, createChanges } from "./changes.ts";
import { createReadBacklog, type ReadBacklog } from "./backlog.ts";
import { createBulkJobs, type BulkJobs } from "./bulk-jobs.ts";
import { createBulkQueries, type BulkQueries } from "./bulk-queries.ts";
import type { Database, OnTransaction } from "./database.ts";
import { openPostgres } from "./dialect/postgres.ts";
import { openSqlite } from "./dialect/sqlite.ts";
import { createDisclosures, type Disclosures } from "./disclosures.ts";
import { createErrorGroups, type ErrorGroups } from "./error-groups.ts";
import { createReadGauges, type ReadGauges } from "./gauges.ts";
import { createReadEvents, type ReadEvents } from "./event-queries.ts";
import { createExportPages, type ExportPages } from "./export-pages.ts";
import { createHolds, createReadHold, type Holds, type ReadHold } from "./hold.ts";
import { createJobQueue, type JobQueue } from "./jobs.ts";
import { createOperatorActions, type OperatorActions } from "./operator-actions.ts";
import { createOperators, type Operators } from "./operators.ts";
import { createOperatorSessions, type OperatorSessions } from "./operator-sessions.ts";
import { createOrderIntake, type OrderIntake } from "./orders.ts";
import { createOrderQueries, type OrderQueries } from "./order-queries.ts";
import { createOrderSearch, type OrderSearch } from "./order-search.ts";
import { createOverview, type OverviewQueries } from "./overview.ts";
import { createReadPartnerStandings, type ReadPartnerStandings } from "./partner-standings.ts";
import { createPartners, type Partners } from "./partners.ts";
import { createListAttempts, type ListAttempts } from "./attempt-list.ts";
import { createLists, type Lists } from "./lists.ts";
import { createRejections, type Rejections } from "./rejections.ts";
import { createRateBuckets, type RateBuckets } from "./rate-buckets.ts";
import { createRetention, type Retention } from "./retention.ts";
import { type CircuitSettings, createSettlements, type Settlements } from "./settlements.ts";
import { createReadStandings, type ReadStandings } from "./standings.ts";
import type { Leg } from "../orders/states.ts";
import { parseDatabaseUrl } from "./target.ts";

/** The storage port: what the gateway asks of its database, the same on each. */
export interface Storage {
  readonly database: Database;
  readonly partners: Partners;
  readonly operators: Operators;
  readonly operatorSessions: OperatorSessions;
  readonly rateBuckets: RateBuckets;
  readonly authEvents: AuthEvents;
  readonly rejections: Rejections;
  readonly intake: OrderIntake;
  readonly queues: Readonly<Record<Leg, JobQueue>>;
  readonly settlements: Readonly<Record<Leg, Settlements>>;
  readonly circuits: Readonly<Record<Leg, Circuits>>;
  readonly readEvents: ReadEvents;
  readonly orders: OrderQueries;
  readonly readStandings: ReadStandings;
  readonly orderSearch: OrderSearch;
  readonly lists: Lists;
  readonly listAttempts: ListAttempts;
  readonly errorGroups: ErrorGroups;
  readonly overview: OverviewQueries["overview"];
  readonly readPartnerStandings: ReadPartnerStandings;
  readonly exportPages: ExportPages;
  readonly changes: Changes;
  readonly operatorActions: OperatorActions;
  readonly bulkJobs: BulkJobs;
  readonly bulkQueries: BulkQueries;
  readonly disclosures: Disclosures;
  readonly retention: Retention;
  readonly readGauges: ReadGauges;
  readonly holds: Holds;
  readonly readHold: ReadHold;
  readonly readBacklog: ReadBacklog;
  close(): Promise<void>;
}

export interface StorageOptions {
  /** A `DATABASE_URL`. */
  readonly url: string;
  readonly poolSize: number;
  readonly preparedStatements: boolean;
  /** False: a missing SQLite file is an error. */
  readonly create: boolean;
  /** When failures open a target's circuit; left out: never, for whoever settles nothing. */
  readonly circuit?: CircuitSettings;
  readonly onTransaction?: OnTransaction;
}

/**
 * Opens a database. The schema is not looked at: see schema.ts.
 * @throws Error when the URL can't be read or a file can't be opened; a server need not be up yet
 */
export function openStorage(options: StorageOptions): Storage {
  const circuit = options.circuit ?? { threshold: 0, probeMs: 0 };
  const { at } = parseDatabaseUrl(options.url);
  const database =
    at.kind === "sqlite"
      ? openSqlite({ path: at.path, create: options.create })
      : openPostgres({
          url: at.url,
          poolSize: options.poolSize,
          prepared: options.preparedStatements,
          onTransaction: options.onTransaction,
        });
  const errorGroups = createErrorGroups(database);
  const orderSearch = createOrderSearch(database, { ordersOfGroup: errorGroups.ordersOf });
  return {
    database,
    partners: createPartners(database),
    operators: createOperators(database),
    operatorSessions: createOperatorSessions(database),
    rateBuckets: createRateBuckets(database),
    authEvents: createAuthEvents(database),
    rejections: createRejections(database),
    intake: createOrderIntake(database),
    queues: {
      ticketing: createJobQueue(database, "ticketing"),
      callback: createJobQueue(database, "callback"),
    },
    settlements: {
      ticketing: createSettlements(database, "ticketing", circuit),
      callback: createSettlements(database, "callback", circuit),
    },
    circuits: {
      ticketing: createCircuits(database, "ticketing"),
      callback: createCircuits(database, "callback"),
    },
    readEvents: createReadEvents(database),
    orders: createOrderQueries(database),
    readStandings: createReadStandings(database),
    orderSearch,
    lists: createLists(database),
    listAttempts: createListAttempts(database),
    errorGroups,
    overview: createOverview(database).overview,
    readPartnerStandings: createReadPartnerStandings(database),
    exportPages: createExportPages(database, orderSearch.ids),
    changes: createChanges(database),
    operatorActions: createOperatorActions(database),
    bulkJobs: createBulkJobs(database),
    bulkQueries: createBulkQueries(database),
    disclosures: createDisclosures(database),
    retention: createRetention(database),
    readGauges: createReadGauges(database),
    holds: createHolds(database),
    readHold: createReadHold(database),
    readBacklog: createReadBacklog(database),
    close: () => database.close(),
  };
}
