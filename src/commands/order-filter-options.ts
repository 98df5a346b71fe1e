import { type Command, InvalidArgumentError, Option } from "commander";
import { isoTime, readTime } from "../lib/iso-time.ts";
import type { OrderFilter } from "../orders/order-filter.ts";
import { readOrderFilter } from "../orders/order-filter-fields.ts";
import { ATTEMPT_ERRORS } from "../orders/outcome.ts";
import { ORDER_STATUSES } from "../orders/states.ts";
import { Failure } from "./cli/failure.ts";
import { parseDuration } from "./cli/time.ts";

/** What the options of {@link withOrderFilter} give. */
export interface OrderFilterOptions {
  readonly q?: string;
  readonly status?: readonly string[];
  readonly partner?: string;
  readonly since?: string;
  readonly until?: string;
  readonly visitFrom?: string;
  readonly visitTo?: string;
  readonly code?: string;
  readonly error?: string;
  readonly errorGroup?: string;
  readonly pastDue?: boolean;
  readonly id?: readonly string[];
}

const TIME_FORM = "a time or date as 2026-08-25T07:09:55Z, or so long ago as 24h";

/** Gives a command the options that say which orders are meant: the same as `/admin/orders` takes. */
export function withOrderFilter(command: Command): Command {
  const status = new Option("--status <status>", "only those that stand so; repeatable").choices(
    ORDER_STATUSES,
  );
  const oneStatus = status.parseArg!;
  return command
    .option("--q <text>", "an external id, trace id, ticketing reference, ticket code or order id, whole")
    .addOption(
      status.argParser((text, before?: string[]) => {
        oneStatus(text, undefined);
        return collect(text, before);
      }),
    )
    .option("--partner <id>", "only this partner's")
    .option("--since <time>", `accepted from then on: ${TIME_FORM}`, asTime)
    .option("--until <time>", "accepted before then", asTime)
    .option("--visit-from <date>", "an item is visited on this date or later")
    .option("--visit-to <date>", "an item is visited on this date or earlier")
    .option("--code <status>", "the last attempt of either leg was answered with this HTTP status")
    .addOption(new Option("--error <error>", "it failed with this").choices(ATTEMPT_ERRORS))
    .option("--error-group <fingerprint>", "orders of a group of errors")
    .option("--past-due", "an attempt has been due for over a minute")
    .option("--id <id>", "this order; repeatable", collect);
}

/** @throws {@link Failure} with every option that is wrong */
export function orderFilterOf(options: OrderFilterOptions): OrderFilter {
  const named = {
    q: options.q,
    status: options.status,
    partner: options.partner,
    created_from: options.since,
    created_before: options.until,
    visit_from: options.visitFrom,
    visit_to: options.visitTo,
    code: options.code,
    error: options.error,
    error_group: options.errorGroup,
    past_due: options.pastDue,
    id: options.id?.map((id) => id.replace(/^#/, "")),
  };
  const given = Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined));
  const read = readOrderFilter(given);
  if (read.ok) return read.filter;
  const problems = read.problems.map(({ pointer, detail }) => `--${optionOf(pointer.slice(1))} ${detail}`);
  throw new Failure("usage", "the filter can't be used", { problems });
}

function optionOf(name: string): string {
  if (name === "created_from") return "since";
  return name === "created_before" ? "until" : name.replaceAll("_", "-");
}

/** A time, or how long ago, as an RFC 3339 text. @throws InvalidArgumentError */
export function asTime(text: string): string {
  if (/^\d+[smhd]$/.test(text)) return isoTime(Date.now() - parseDuration(text));
  if (readTime(text) === undefined) throw new InvalidArgumentError(`Write ${TIME_FORM}.`);
  return text;
}

function collect(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}
