import { type Command, Option } from "commander";
import { createCredentials } from "../lib/credentials.ts";
import { secretToken } from "../lib/ids.ts";
import { isoTime } from "../lib/iso-time.ts";
import type { Storage } from "../storage/open.ts";
import { configHere, withStorage } from "./cli/database.ts";
import { Failure } from "./cli/failure.ts";
import { JSON_OPTION, withExamples } from "./cli/help.ts";
import { invocation } from "./cli/invocation.ts";
import { type Cell, paint, plain, print, printJson } from "./cli/output.ts";
import { parseDuration, span } from "./cli/time.ts";

/** Those who come with a token, partners and operators: what is done to tokens is the same for both. */
export interface TokenHolder {
  readonly noun: "partner" | "operator";
  readonly article: "a" | "an";
  /** What names one on the command line, and in JSON. */
  readonly argument: "id" | "name";
  readonly field: "partner_id" | "name";
  readonly example: string;
  readonly tokenPrefix: string;
  /** The header that the token is sent in. */
  header(token: string): string;
  readonly disabling: string;
  rotateToken(storage: Storage, name: string, digest: string, until: number, nowMs: number): Promise<boolean>;
  setDisabled(storage: Storage, name: string, disabled: boolean, nowMs: number): Promise<boolean>;
}

export function unknownHolder(noun: TokenHolder["noun"], name: string): Failure {
  const advice = `\`${invocation()} ${noun} list\` shows them`;
  return new Failure("not_found", `there is no ${noun} ${plain(name)}`, { advice });
}

export function stateCell(holder: { disabledAt: number | null; development: boolean }): Cell {
  if (holder.disabledAt !== null) return { text: "disabled", style: "red" };
  return holder.development ? { text: "development", style: "yellow" } : { text: "enabled", style: "green" };
}

export function defineRotate(command: Command, holder: TokenHolder): void {
  const { noun, article, argument, example } = holder;
  command
    .description(
      `Give ${article} ${noun} a new token. The present one holds for the overlap; one that was replaced earlier ends ` +
        "at once.",
    )
    .argument(`<${argument}>`, `the ${noun}`)
    .addOption(
      new Option("--overlap <duration>", "how long the present token still holds: 0s, 15m, 24h, 7d")
        .argParser(parseDuration)
        .default(parseDuration("24h"), "24h"),
    )
    .option(...JSON_OPTION)
    .action((name: string, options: { overlap: number; json?: true }) => rotate(holder, name, options));
  withExamples(command, [
    [`${noun} rotate ${example}`, "Both tokens hold for a day"],
    [`${noun} rotate ${example} --overlap 0s`, "A token has leaked: end it at once"],
  ]);
}

async function rotate(
  holder: TokenHolder,
  name: string,
  { overlap, json = false }: { overlap: number; json?: boolean },
): Promise<void> {
  const config = configHere();
  const token = secretToken(holder.tokenPrefix);
  const digest = createCredentials({ keys: config.appHmacSecrets, development: false }).digest(token);
  const nowMs = Date.now();
  const until = nowMs + overlap;
  await withStorage(config, async (storage) => {
    if (!(await holder.rotateToken(storage, name, digest, until, nowMs)))
      throw unknownHolder(holder.noun, name);
  });
  if (json) {
    return printJson({ [holder.field]: name, token, previous_token_valid_until: isoTime(until) });
  }
  print(`${titled(holder, name)} has a new token:\n\n  ${holder.header(paint("bold", token))}\n`);
  print(
    overlap === 0
      ? "The one before has ended."
      : `The one before holds until ${isoTime(until)} (${span(overlap)}).`,
  );
  print("The new one is not shown again.");
}

export function defineSwitch(command: Command, disabled: boolean, holder: TokenHolder): void {
  const { noun, article, argument, example } = holder;
  const verb = disabled ? "disable" : "enable";
  command
    .description(
      disabled ? holder.disabling : `Let ${article} disabled ${noun} in again, with the token it had.`,
    )
    .argument(`<${argument}>`, `the ${noun}`)
    .option(...JSON_OPTION)
    .action(async (name: string, { json = false }: { json?: boolean }) => {
      await withStorage(configHere(), async (storage) => {
        if (!(await holder.setDisabled(storage, name, disabled, Date.now()))) throw unknownHolder(noun, name);
      });
      if (json) printJson({ [holder.field]: name, state: `${verb}d` });
      else print(`${titled(holder, name)} is ${verb}d.`);
    });
  withExamples(command, [
    [`${noun} ${verb} ${example}`, disabled ? `Lock ${article} ${noun} out` : "Let it in again"],
  ]);
}

function titled({ noun }: TokenHolder, name: string): string {
  return `${noun.slice(0, 1).toUpperCase()}${noun.slice(1)} ${plain(name)}`;
}
