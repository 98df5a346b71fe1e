import type { Kysely } from "kysely";
import type { Tables } from "./tables.ts";

export type Scalar = string | number | null;

/** Rows of one shape, for a statement made by {@link SqlWords.insertRows} or {@link SqlWords.updateRows}. */
export interface RowSet {
  readonly fields: readonly string[];
  readonly rows: readonly Readonly<Record<string, Scalar>>[];
}

/** What a statement can be given: a scalar, a JSON text that it unpacks itself, or as the first one the rows it is run for. */
export type Parameter = Scalar | RowSet;

/** Runs one fixed statement. Texts are constants made at start, so that each is prepared once. */
export type Run = <Row extends object>(text: string, parameters: readonly Parameter[]) => Promise<Row[]>;

/** How a column of a JSON parameter is read. */
export type ColumnKind = "text" | "integer" | "real" | "uuid";

/** The names and kinds of what a row brings. */
export type Fields = Readonly<Record<string, ColumnKind>>;

/** The rows that a statement is run for, in the order of its fields. */
export function rowSet(fields: Fields, rows: RowSet["rows"]): RowSet {
  return { fields: Object.keys(fields), rows };
}

export function isRowSet(parameter: Parameter): parameter is RowSet {
  return typeof parameter === "object" && parameter !== null;
}

/** `a = b, ...`: what an update sets. */
export function assignments(set: Readonly<Record<string, string>>): string {
  return Object.entries(set)
    .map(([column, value]) => `${column} = ${value}`)
    .join(", ");
}

/** The words in which the databases differ. Statements are put together from them once, at start. */
export interface SqlWords {
  /** The time of a statement: the parameter, or the clock of the database (SPEC section 5). */
  now(parameter: string): string;
  /** A table expression over a parameter that holds a JSON array of objects. */
  rows(parameter: string, columns: Fields): string;
  /**
   * Inserts a row for each of the {@link RowSet} in the first parameter.
   * @param values by column: an expression over the fields `r.x`, and over the parameters from `$2` on
   */
  insertRows(table: string, values: Readonly<Record<string, string>>, fields: Fields): string;
  /**
   * Updates for each row of the {@link RowSet} in the first parameter. Each matches one row of the table at most.
   * @param set by column, and `where`: expressions over the fields `r.x`, the columns and the parameters from `$2` on
   */
  updateRows(table: string, set: Readonly<Record<string, string>>, where: string, fields: Fields): string;
  /** `= any(...)` over a parameter that holds a JSON array of whole numbers. */
  amongIds(parameter: string): string;
  /**
   * `= any(...)` over a subquery that gives few ids, which is run once and looked up by index.
   */
  amongFew(subquery: string): string;
  /**
   * A query for the ids of due jobs, at most `limit`, in turns between the partners, and of each partner in turns
   * between first attempts and retries, the oldest first; of no partner more than its free slots. Rows that another
   * process is just claiming are passed over. It reads `now` from a table `clock`.
   */
  dueJobs(table: string, parameters: DueJobsParameters): string;
  /** `for update`, where rows are locked one by one; and that passing over rows that others hold. */
  forUpdate: string;
  forUpdateSkipLocked: string;
  /** Statements by which a table's ids go on after the number in `$1`, unless they are beyond it. */
  skipIds(table: string): readonly string[];
  /** The smaller and the larger of two values. */
  least: string;
  greatest: string;
}

export interface DueJobsParameters {
  readonly limit: string;
  /** JSON array of `{partner_id, slots, first_attempts, retries}`: partners with jobs in flight. */
  readonly busy: string;
  readonly slotsPerPartner: string;
  /** A condition on the partner `p`. */
  readonly partners: string;
  /** The watermark: nothing due before it is looked at. */
  readonly since: string;
}

/** What a column type is called in a migration. */
export interface ColumnTypes {
  readonly id: string;
  readonly integer: string;
  readonly real: string;
  readonly text: string;
  readonly uuid: string;
  /** Follows a table whose rows are changed often. */
  readonly hotTable: string;
  readonly table: string;
}

export interface TransactionOptions {
  /**
   * False for what may be forgotten when the machine loses power, as the fill of a rate limit bucket. Such a
   * commit does not wait for the disk.
   */
  durable?: boolean;
}

export interface Database {
  /** For `doctor` and log lines; nothing asks it to decide. */
  readonly name: string;
  readonly words: SqlWords;
  /** False: one process serves the database, and may take over every open claim at start. */
  readonly manyProcesses: boolean;
  /** Transactions of one kind that had best be under way at once: one where each is a commit of its own. */
  readonly batchesAtOnce: number;
  /** True: its calls hold up the thread that makes them, and a serving process writes in a thread of its own. */
  readonly ownThread: boolean;
  /**
   * Makes this process the one that serves the database, until it ends however it ends. Nothing where many may.
   * @throws Error when another process serves it
   */
  serveAlone(): void;
  /** For dynamic queries and migrations. */
  readonly queries: Kysely<Tables>;
  readonly columnTypes: ColumnTypes;
  /**
   * Run first in the transaction of a migration, so that two processes don't migrate at once, and that it waits for no table
   * for long ({@link RowLocked}), as whoever comes after it waits behind it. Null: BEGIN does it.
   */
  readonly migrationLock: string | null;
  run: Run;
  /**
   * Runs `work` in one transaction, again if the database was busy or could not serialize. `work` must do
   * nothing but run statements. Those whose rows it doesn't need it need not await: they are run in their order, and the
   * failure of one is the transaction's.
   * @throws {@link DatabaseUnavailable}, {@link CommitUnknown}, or what a statement or `work` threw
   */
  transact<T>(work: (run: Run) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /** Runs statements that only read, and find their rows by index however the tables have grown. They need not await each other. */
  look<T>(work: (run: Run) => Promise<T>): Promise<T>;
  /** True when an error may be the fault of one row's data. */
  isDataFault(error: unknown): boolean;
  /**
   * Asks to be told when another process has committed work for a leg. Optional help: the poll is the truth. Null where
   * there is no such thing.
   */
  wakeups: Wakeups | null;
  /** Transactions that wait for a connection or for their turn. */
  waiting(): number;
  /**
   * Copies the database into a new file as it is now, while others write. Null where the database has means of its own.
   * @param onProgress hears of pages @throws Error when the file exists, can't be written or isn't whole
   */
  readonly backup: Backup | null;
  /** What `doctor` should know: settings that durability rests on, each with a verdict. */
  inspect(): Promise<readonly Finding[]>;
  close(): Promise<void>;
}

export type Backup = (path: string, onProgress: (done: number, total: number) => void) => Promise<void>;

/** Hears of each writing transaction how long it waited for its turn, and took in all. Must not throw. */
export type OnTransaction = (waitedMs: number, tookMs: number) => void;

export interface Wakeups {
  /** Tells the other processes, soon and coalesced; never fails. */
  announce(topic: string): void;
  /** Calls back for each announcement of another process; reconnects by itself. */
  listen(onTopic: (topic: string) => void): void;
}

export interface Finding {
  readonly name: string;
  readonly value: string;
  readonly ok: boolean;
  /** What to do when it is not ok. */
  readonly advice?: string;
}

/** The database can't be reached, is full or too busy: nothing of the transaction was written. */
export class DatabaseUnavailable extends Error {
  override name = "DatabaseUnavailable";
}

/** The connection was lost between COMMIT and its answer: look up what was written. */
export class CommitUnknown extends DatabaseUnavailable {
  override name = "CommitUnknown";
}

/** Another transaction held a row for too long. It may be one row of a batch: run the others without it. */
export class RowLocked extends Error {
  override name = "RowLocked";
}
