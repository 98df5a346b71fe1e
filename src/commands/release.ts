import type { Command } from "commander";
import { isoTime } from "../lib/iso-time.ts";
import { LEGS } from "../orders/states.ts";
import { type Backlog, MAX_COUNTED } from "../storage/backlog.ts";
import type { Hold } from "../storage/hold.ts";
import { configHere, withStorage } from "./cli/database.ts";
import { isConfirmed } from "./cli/confirm.ts";
import { Failure } from "./cli/failure.ts";
import { JSON_OPTION, withExamples } from "./cli/help.ts";
import { plain, print, printJson, table } from "./cli/output.ts";
import { userOfShell } from "./cli/user.ts";
import { asRecord } from "./order-acts.ts";

interface Options {
  readonly reason: string;
  readonly actor?: string;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

const BEGINS = "what is due goes out at once: say --yes, or --dry-run to count it";

export function define(command: Command): void {
  command
    .description(
      "Let the gateways work that are held, by `hold` or `serve --held`. Shows first what would begin, and asks. Every running " +
        "gateway begins within POLL_SECS, as at a start.",
    )
    .requiredOption("--reason <text>", "why, for the record: 1 to 500 characters", asRecord)
    .option("--actor <name>", "who, for the record; without: the user of this shell", asRecord)
    .option("--dry-run", "change nothing, show what would begin")
    .option("--yes", "don't ask; needed where there is no terminal")
    .option(...JSON_OPTION)
    .action(release);
  withExamples(command, [
    ["release --reason 'reconciled' --dry-run", "See what would begin"],
    ["release --reason 'reconciled with ticketing' --yes", "Let the gateways work"],
  ]);
}

async function release(options: Options): Promise<void> {
  const { reason, actor = userOfShell(), dryRun = false, yes = false, json = false } = options;
  await withStorage(configHere(), async ({ holds, readHold, readBacklog }) => {
    const hold = await readHold();
    if (hold === null) throw new Failure("failed", "nothing is held: the gateways work");
    const backlog = await readBacklog(null);
    if (!json) print(told(hold, backlog));
    if (!dryRun && !yes && !(await isConfirmed("Let the gateways work?", json, BEGINS))) {
      throw new Failure("failed", "nothing was changed: they are held");
    }
    // Somebody else may have been quicker, which is as good.
    if (!dryRun) await holds.lift({ actor, reason }, null);
    if (json) return printJson({ released: !dryRun, dry_run: dryRun, ...view(hold, backlog) });
    print(dryRun ? "\nNothing was changed." : "\nReleased: running gateways begin within POLL_SECS.");
  });
}

function told({ since, actor, reason }: Hold, { legs, bulkJobs }: Backlog): string {
  const rows = LEGS.map((leg) => {
    const { due, later, claimed } = legs[leg];
    return [leg, ...[due, later, claimed].map(atLeast)];
  });
  const bulk = bulkJobs === 0 ? "" : `\nActs upon many orders that go on: ${bulkJobs} (\`bulk list\`).`;
  return `Held since ${isoTime(since)} by ${plain(actor)}: ${plain(reason)}

What would begin:

${table(["LEG", "DUE NOW", "DUE LATER", "CLAIMED"], rows, "  ")}

Claimed: an attempt is under way, or its process is gone. The latter is written as lost when its lease is over, and tried
again; or, with TICKETING_ON_UNKNOWN=hold, left for \`order resolve\`.${bulk}`;
}

function atLeast(count: number): string {
  return count >= MAX_COUNTED ? `${count}+` : String(count);
}

function view({ since, actor, reason }: Hold, { legs, bulkJobs }: Backlog) {
  return {
    held: { since: isoTime(since), by: actor, reason },
    begins: { ...legs, bulk_jobs: bulkJobs },
    counted_to: MAX_COUNTED,
  };
}
