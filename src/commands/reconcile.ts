import type { Command } from "commander";
import type { ReconciliationRules } from "../orders/reconciliation.ts";
import type { Storage } from "../storage/open.ts";
import { configHere, withStorage } from "./cli/database.ts";
import { EXIT_CODES, Failure } from "./cli/failure.ts";
import { JSON_OPTION, withExamples } from "./cli/help.ts";
import { print } from "./cli/output.ts";
import { createProgress } from "./cli/progress.ts";
import { readTheirs, type Theirs } from "./reconcile-file.ts";
import { filterOf, type ReconcileOptions, rulesOf, withReconciliation } from "./reconcile-options.ts";
import { type Reconciled, reconcile } from "./reconcile-orders.ts";
import { type Counts, csvSink, jsonSink, nameOf, noDifferences, textSink } from "./reconcile-report.ts";

export function define(command: Command): void {
  withReconciliation(
    command.description(
      "Compare a daily file (CSV) of the partner or of ticketing with our orders: ours only, theirs only, and what " +
        "differs, each with what to do. Nothing is changed. Ends with 0 when all agree, and with 4 when something differs.",
    ),
  )
    .option(...JSON_OPTION)
    .action(run);
  withExamples(
    command,
    [
      [
        "reconcile --file sold.csv --map external_order_id=Booking,qty=Pax,amount=Total,currency=Cur --partner demo --from 2026-08-24 --to 2026-08-24 --tz Asia/Bangkok",
        "A partner's sales of a day",
      ],
      [
        "reconcile --side ticketing --file issued.csv --map reference=BookingNo,status=State --words CNX=cancelled --visit-from 2026-08-25 --visit-to 2026-08-25",
        "Ticketing's visits of a day",
      ],
    ],
    "docs/reconciliation.md says how keys, amounts, dates, statuses and repeats are compared.",
  );
}

async function run(options: ReconcileOptions): Promise<void> {
  const { json = false, output } = options;
  const rules = rulesOf(options);
  const filter = filterOf(options);
  const csv = { delimiter: options.delimiter ?? null, encoding: options.encoding ?? null };
  await withStorage(configHere(), async (storage) => {
    await requirePartner(storage, options, rules);
    const theirs = await readTheirs(options.file, options.map, rules, csv);
    const counts = noDifferences();
    const said: Reconciled = { orders: 0, compared: 0 };
    const shown = json ? jsonSink(() => summaryOf(theirs, said, counts)) : textSink();
    const sinks = [...(output === undefined ? [] : [csvSink(output)]), shown];
    const progress = createProgress("orders compared");
    for await (const difference of reconcile(storage.exportPages, theirs, filter, rules, said)) {
      counts[difference.kind] += 1;
      progress.end();
      for (const sink of sinks) sink.take(difference);
      progress.tell(said.orders + said.compared, null);
    }
    progress.end();
    for (const sink of sinks) sink.end();
    if (!json) printSummary(theirs, said, counts);
    process.exitCode = Object.values(counts).some((n) => n > 0) ? EXIT_CODES.differs : EXIT_CODES.ok;
  });
}

/** The partners' ids are their own: without a partner, one's order would be held against another's row. */
async function requirePartner(
  { partners }: Storage,
  { partner, side }: ReconcileOptions,
  { fields }: ReconciliationRules,
) {
  if (side === "ticketing" || fields.includes("partner_id")) return;
  const known = (await partners.list()).map(({ id }) => id);
  if (partner !== undefined && !known.includes(partner)) {
    throw new Failure("usage", `there is no partner ${partner}`, {
      advice: `known are: ${known.join(", ")}`,
    });
  }
  if (partner !== undefined || known.length <= 1) return;
  throw new Failure("usage", "say whose file it is: --partner <id>, or --map partner_id=Column", {
    advice: `known are: ${known.slice(0, 20).join(", ")}`,
  });
}

function summaryOf({ rows, withoutKey, entries }: Theirs, said: Reconciled, counts: Counts): object {
  return {
    their_rows: rows,
    their_rows_without_key: withoutKey,
    their_keys: entries.size,
    our_orders: said.orders,
    compared: said.compared,
    differences: counts,
  };
}

function printSummary({ rows, withoutKey, entries }: Theirs, said: Reconciled, counts: Counts): void {
  const passedOver = withoutKey === 0 ? "" : `; ${withoutKey} without a key were passed over`;
  print(`Their file: ${rows} rows, ${entries.size} keys${passedOver}.`);
  print(`Our orders that it should have: ${said.orders}; compared: ${said.compared}.`);
  const found = Object.entries(counts).filter(([, n]) => n > 0) as [keyof Counts, number][];
  if (found.length === 0) print("All agree.");
  else print(`Differences: ${found.map(([kind, n]) => `${n} ${nameOf(kind)}`).join(", ")}.`);
}
