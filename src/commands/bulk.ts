import { type Command, InvalidArgumentError, Option } from "commander";
import { bulkJobView, bulkResultView } from "../http/bulk-view.ts";
import { BULK_RESULTS, type BulkResult } from "../orders/bulk.ts";
import type { BulkJob } from "../storage/bulk-queries.ts";
import type { Storage } from "../storage/open.ts";
import { asRecord } from "./order-acts.ts";
import { configHere, withStorage } from "./cli/database.ts";
import { Failure } from "./cli/failure.ts";
import { fittedTable } from "./cli/fitted-table.ts";
import { JSON_OPTION, withExamples } from "./cli/help.ts";
import { invocation } from "./cli/invocation.ts";
import { print, printJson, table } from "./cli/output.ts";
import { relative } from "./cli/time.ts";
import { userOfShell } from "./cli/user.ts";

const PAGE = 100;

export function define(command: Command): void {
  command.description(
    "Follow what is done to many orders at once. `order retry`, `resend`, `cancel` and `close` with filters make these jobs.",
  );
  command
    .command("list")
    .summary("list the jobs, newest first")
    .description("List the latest bulk jobs.")
    .option(...JSON_OPTION)
    .action(list);
  command
    .command("show")
    .summary("show a job's progress, and what became of its orders")
    .description("Show a job's progress, and what became of its orders, a page at a time.")
    .argument("<id>", "the job", asId)
    .addOption(new Option("--result <result>", "only orders that it ended so for").choices(BULK_RESULTS))
    .option("--after <order>", "only orders after this one: the next page", asId)
    .option(...JSON_OPTION)
    .action(show);
  command
    .command("cancel")
    .summary("end a job where it is")
    .description("End a job where it is. What it has done stays. It is recorded with who and why.")
    .argument("<id>", "the job", asId)
    .requiredOption("--reason <text>", "why, for the record: 1 to 500 characters", asRecord)
    .option("--actor <name>", "who, for the record; without: the user of this shell", asRecord)
    .option(...JSON_OPTION)
    .action(cancel);
  withExamples(command, [
    ["order retry --status ticketing_exhausted --reason 'it is back'", "Make one"],
    ["bulk show 7", "How far is it?"],
    ["bulk cancel 7 --reason 'wrong filter'", "End it"],
  ]);
}

async function list({ json = false }: { json?: boolean }): Promise<void> {
  const jobs = await withStorage(configHere(), ({ bulkQueries }) => bulkQueries.list(null, PAGE));
  if (json) return printJson(jobs.map(bulkJobView));
  if (jobs.length === 0) return print("No bulk jobs.");
  const nowMs = Date.now();
  const rows = jobs.map((job) => [
    String(job.id),
    job.action,
    job.status,
    `${job.acted + job.refused} of ${job.total}`,
    bulkJobView(job).filter,
    job.actor,
    relative(job.createdAt, nowMs),
  ]);
  const head = ["ID", "ACTION", "STATUS", "ORDERS", "FILTER", "BY", "MADE"];
  print(fittedTable(head, rows, { cut: "FILTER", drop: ["BY", "MADE"] }));
}

async function show(
  id: number,
  { result = null, after = 0, json = false }: { result?: BulkResult | null; after?: number; json?: boolean },
): Promise<void> {
  await withStorage(configHere(), async ({ bulkQueries }) => {
    const job = await bulkQueries.find(id);
    if (job === null) throw unknownJob(id);
    const results = await bulkQueries.results(id, { result, afterOrderId: after, limit: PAGE });
    if (json) return printJson({ ...bulkJobView(job), results: results.map(bulkResultView) });
    print(summary(job));
    if (results.length === 0) return;
    const rows = results.map((one) => [
      String(one.orderId),
      one.externalOrderId ?? "",
      one.partnerId,
      one.result,
      one.orderStatus ?? "",
    ]);
    print(`\n${table(["ORDER", "EXTERNAL ID", "PARTNER", "RESULT", "STATUS"], rows)}`);
    if (results.length === PAGE)
      process.stderr.write(`More: --after ${results.at(-1)!.orderId}, or --result refused\n`);
  });
}

function summary(job: BulkJob): string {
  const { filter } = bulkJobView(job);
  return [
    `Bulk job ${job.id}: ${job.action} is ${job.status}, ${job.acted} of ${job.total} orders done, ${job.refused} left alone.`,
    `By ${job.actor}: ${job.reason}. Filter: ${filter}; ${job.pacePerSec} per second.`,
  ].join("\n");
}

async function cancel(
  id: number,
  { reason, actor = userOfShell(), json = false }: { reason: string; actor?: string; json?: boolean },
): Promise<void> {
  await withStorage(configHere(), async (storage: Storage) => {
    const isEnded = await storage.bulkJobs.cancel(id, { actor, reason }, null);
    const job = await storage.bulkQueries.find(id);
    if (job === null) throw unknownJob(id);
    if (!isEnded) throw new Failure("failed", `bulk job ${id} is ${job.status} already`);
    if (json) return printJson(bulkJobView(job));
    print(summary(job));
  });
}

function unknownJob(id: number): Failure {
  return new Failure("not_found", `there is no bulk job ${id}`, {
    advice: `\`${invocation()} bulk list\` shows them`,
  });
}

function asId(text: string): number {
  const id = Number(text);
  if (!/^[1-9]\d*$/.test(text) || !Number.isSafeInteger(id)) {
    throw new InvalidArgumentError("A positive whole number is expected.");
  }
  return id;
}
