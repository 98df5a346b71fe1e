import type { Command } from "commander";
import { isoTime } from "../lib/iso-time.ts";
import type { Act } from "../storage/operator-record.ts";
import type { Storage } from "../storage/open.ts";
import { configHere, placeOf, withStorage } from "./cli/database.ts";
import { JSON_OPTION, withExamples } from "./cli/help.ts";
import { invocation } from "./cli/invocation.ts";
import { plain, print, printJson } from "./cli/output.ts";
import { userOfShell } from "./cli/user.ts";
import { asRecord } from "./order-acts.ts";

interface Options {
  readonly reason: string;
  readonly actor?: string;
  readonly restored?: boolean;
  readonly json?: boolean;
}

export function define(command: Command): void {
  command
    .description(
      "Keep all gateways of the database from working: orders are accepted and shown, and wait. Nothing is ticketed, no " +
        "partner is called, nothing is deleted by age. Running gateways take up nothing more within POLL_SECS, and what is " +
        "in flight ends; others begin held. It outlasts restarts, until `release`. What operators do is still done.",
    )
    .requiredOption("--reason <text>", "why, for the record: 1 to 500 characters", asRecord)
    .option("--actor <name>", "who, for the record; without: the user of this shell", asRecord)
    .option(
      "--restored",
      "the database comes from a backup: also move all ids on, so that none is given out twice; safe to repeat",
    )
    .option(...JSON_OPTION)
    .action(hold);
  withExamples(
    command,
    [
      ["hold --reason 'ticketing books twice'", "Stop everything, without refusing orders"],
      [
        "hold --restored --reason 'restored from last night'",
        "First of all after a restore, before any gateway starts",
      ],
    ],
    "After a restore: `hold --restored`, start the gateways, `reconcile` with ticketing's file, `order resolve` what it has\n" +
      "ticketed since the backup, `release`.",
  );
}

async function hold(options: Options): Promise<void> {
  const { reason, actor = userOfShell(), restored = false, json = false } = options;
  const config = configHere();
  await withStorage(config, async (storage) => {
    const { placed, idsAfter } = await place(storage, { actor, reason }, restored);
    const held = (await storage.readHold())!;
    const told = { since: isoTime(held.since), by: held.actor, reason: held.reason };
    if (json) return printJson({ placed, ids_after: idsAfter, held: told });
    if (!placed && idsAfter === null)
      return print(`It is held already, since ${told.since} by ${plain(told.by)}: ${plain(told.reason)}`);
    print(
      `The gateways of ${placeOf(config.databaseUrl)} are held: orders are accepted and wait.\n` +
        "Running gateways take up nothing more within POLL_SECS, and what is in flight ends.",
    );
    if (idsAfter !== null) print(`Ids go on after ${idsAfter}: none is given out twice.`);
    print(`\`${invocation()} release\` shows what would begin, and lets them work again.`);
  });
}

async function place({ holds }: Pick<Storage, "holds">, act: Act, restored: boolean) {
  if (!restored) return { placed: await holds.place(act, null), idsAfter: null };
  return holds.placeRestored(act, null);
}
