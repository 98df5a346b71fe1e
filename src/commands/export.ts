import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { type Command, Option } from "commander";
import { EXPORT_FORMATS, type ExportedOrder, type ExportFormat, exportText } from "../orders/order-export.ts";
import type { OrderFilter } from "../orders/order-filter.ts";
import type { Storage } from "../storage/open.ts";
import { configHere, withStorage } from "./cli/database.ts";
import { Failure, reasonOf } from "./cli/failure.ts";
import { withExamples } from "./cli/help.ts";
import { createProgress, type Progress } from "./cli/progress.ts";
import { userOfShell } from "./cli/user.ts";
import { orderFilterOf, type OrderFilterOptions, withOrderFilter } from "./order-filter-options.ts";

interface Options extends OrderFilterOptions {
  readonly format: ExportFormat;
  readonly codes?: boolean;
  readonly output?: string;
}

export function defineExport(command: Command): void {
  withOrderFilter(
    command.description(
      "Write orders as CSV (or JSON lines) to stdout or a file: a row for each item, the oldest order first. " +
        "Buyers' data is never in it.",
    ),
  )
    .addOption(
      new Option("--format <format>", "how to write it").choices(EXPORT_FORMATS).default(EXPORT_FORMATS[0]),
    )
    .option("--codes", "the tickets' codes too: they are as good as the tickets, so this is recorded")
    .option("--output <file>", "into this file, which is there when all of it is")
    .action(exportOrders);
  withExamples(
    command,
    [
      ["order export --since 24h > orders.csv", "What came in since yesterday"],
      [
        "order export --partner demo --visit-from 2026-08-01 --visit-to 2026-08-31 --output august.csv",
        "A month's visits",
      ],
      ["order export --status ticketing_blocked --format jsonl", "For a program"],
    ],
    "Cells that a spreadsheet would take for a formula begin with a '. docs/reconciliation.md describes the columns.",
  );
}

async function exportOrders({ format, codes = false, output, ...options }: Options): Promise<void> {
  const filter = orderFilterOf(options);
  const progress = createProgress("orders");
  await withStorage(configHere(), async (storage) => {
    if (codes) await recordCodes(storage, filter);
    const pages = counted(storage.exportPages.pages(filter, codes), progress);
    await write(exportText(format, pages, codes), output).finally(() => progress.end());
  });
}

async function recordCodes({ disclosures }: Storage, filter: OrderFilter): Promise<void> {
  const act = { actor: userOfShell(), reason: "an export with ticket codes", detail: { filter } };
  await disclosures.record({ partnerId: filter.partnerId ?? "", orderId: null }, "export codes", act, null);
}

/** Nothing is counted before: that would cost as much as to export it. */
async function* counted(pages: AsyncIterable<ExportedOrder[]>, progress: Progress) {
  let orders = 0;
  for await (const page of pages) {
    yield page;
    orders += page.length;
    progress.tell(orders, null);
  }
}

/** Into a file by way of another beside it, so that what was cut short is not taken for the whole. */
async function write(text: AsyncIterable<string>, output: string | undefined): Promise<void> {
  if (output === undefined) return pipeline(text, process.stdout, { end: false });
  const unfinished = `${output}.unfinished`;
  try {
    await pipeline(text, createWriteStream(unfinished, { mode: 0o600 }));
    await rename(unfinished, output);
  } catch (error) {
    await rm(unfinished, { force: true });
    const isFile = error instanceof Error && "syscall" in error;
    if (!isFile) throw error;
    throw new Failure("failed", `${output} can't be written: ${reasonOf(error)}`, { cause: error });
  }
}
