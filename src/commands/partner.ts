import { type Command, Option } from "commander";
import { createCredentials } from "../lib/credentials.ts";
import { secretToken } from "../lib/ids.ts";
import { isoTime } from "../lib/iso-time.ts";
import type { Partner } from "../storage/partners.ts";
import { configHere, withStorage } from "./cli/database.ts";
import { JSON_OPTION, withExamples } from "./cli/help.ts";
import { invocation } from "./cli/invocation.ts";
import { paint, print, printJson, table } from "./cli/output.ts";
import { parseDuration, span } from "./cli/time.ts";
import { defineAdd, TOKEN_PREFIX } from "./partner-add.ts";
import { unknownPartner } from "./partner-lookup.ts";
import { defineReseal, defineSecret } from "./partner-secret.ts";

export function define(command: Command): void {
  command.description(
    "Add partners, rotate their tokens and signing secrets, disable them. Changes hold at once, without a restart.",
  );
  defineAdd(command.command("add").summary("add a partner; its token is shown once"));
  defineList(command.command("list").summary("list the partners"));
  defineRotate(command.command("rotate").summary("give a partner a new token; it is shown once"));
  defineSecret(command.command("secret").summary("give a partner a new signing secret; it is shown once"));
  defineReseal(command.command("reseal").summary("seal signing secrets under the newest APP_HMAC_SECRET"));
  defineSwitch(
    command.command("disable").summary("refuse a partner's new requests; accepted orders run on"),
    true,
  );
  defineSwitch(command.command("enable").summary("let a disabled partner in again"), false);
  withExamples(command, [
    ["partner add wave-tours --name 'Wave Tours'", "Add a partner"],
    ["partner rotate wave-tours --overlap 24h", "Rotate its token; the old one holds for a day"],
    ["partner disable wave-tours", "Refuse its new requests"],
  ]);
}

function defineList(command: Command): void {
  command
    .description("List the partners. Nothing secret is shown.")
    .option(...JSON_OPTION)
    .action(list);
  withExamples(command, [["partner list", "See who may send orders"]]);
}

async function list({ json = false }: { json?: boolean }): Promise<void> {
  const partners = await withStorage(configHere(), (storage) => storage.partners.list());
  const nowMs = Date.now();
  if (json) return printJson(partners.map((partner) => partnerView(partner, nowMs)));
  if (partners.length === 0) {
    return print(`No partners yet: \`${invocation()} partner add <id> --name <name>\` adds one.`);
  }
  const rows = partners.map((partner) => [
    partner.id,
    partner.name,
    partner.disabledAt !== null
      ? ({ text: "disabled", style: "red" } as const)
      : partner.development
        ? ({ text: "development", style: "yellow" } as const)
        : ({ text: "enabled", style: "green" } as const),
    partner.allowlistCidrs?.join(", ") ?? "anywhere",
    partner.rateCapacity === null ? "default" : `${partner.rateCapacity}, ${partner.ratePerSec}/s`,
    partner.callbackHosts?.join(", ") ?? "any",
    partner.signingSecret === null ? "global" : "own",
    isoTime(partner.createdAt).slice(0, 10),
  ]);
  print(table(["ID", "NAME", "STATE", "FROM", "RATE", "CALLBACK HOSTS", "SIGNING", "SINCE"], rows));
}

function partnerView(partner: Partner, nowMs: number) {
  const { previousTokenUntil: until, previousSigningSecretUntil: secretUntil } = partner;
  return {
    partner_id: partner.id,
    name: partner.name,
    state: partner.disabledAt === null ? "enabled" : "disabled",
    development: partner.development,
    allowlist_cidrs: partner.allowlistCidrs,
    rate_limit:
      partner.rateCapacity === null ? null : { capacity: partner.rateCapacity, per_sec: partner.ratePerSec },
    callback_hosts: partner.callbackHosts,
    own_signing_secret: partner.signingSecret !== null,
    previous_signing_secret_valid_until:
      secretUntil === null || secretUntil <= nowMs ? null : isoTime(secretUntil),
    reject_repeats: partner.rejectRepeats,
    previous_token_valid_until: until === null || until <= nowMs ? null : isoTime(until),
    disabled_at: partner.disabledAt === null ? null : isoTime(partner.disabledAt),
    created_at: isoTime(partner.createdAt),
  };
}

function defineRotate(command: Command): void {
  command
    .description(
      "Give a partner a new token. The present one holds for the overlap; one that was replaced earlier ends at once.",
    )
    .argument("<id>", "the partner")
    .addOption(
      new Option("--overlap <duration>", "how long the present token still holds: 0s, 15m, 24h, 7d")
        .argParser(parseDuration)
        .default(parseDuration("24h"), "24h"),
    )
    .option(...JSON_OPTION)
    .action(rotate);
  withExamples(command, [
    ["partner rotate wave-tours", "Both tokens hold for a day"],
    ["partner rotate wave-tours --overlap 0s", "A token has leaked: end it at once"],
  ]);
}

async function rotate(id: string, options: { overlap: number; json?: true }): Promise<void> {
  const config = configHere();
  const token = secretToken(TOKEN_PREFIX);
  const credentials = createCredentials({ keys: config.appHmacSecrets, development: false });
  const nowMs = Date.now();
  const until = nowMs + options.overlap;
  await withStorage(config, async ({ partners }) => {
    if (!(await partners.rotateToken(id, credentials.digest(token), until, nowMs))) throw unknownPartner(id);
  });
  if (options.json) {
    return printJson({ partner_id: id, token, previous_token_valid_until: isoTime(until) });
  }
  print(`Partner ${id} has a new token:\n\n  X-Partner-Token: ${paint("bold", token)}\n`);
  print(
    options.overlap === 0
      ? "The one before has ended."
      : `The one before holds until ${isoTime(until)} (${span(options.overlap)}).`,
  );
  print("The new one is not shown again.");
}

function defineSwitch(command: Command, disabled: boolean): void {
  const verb = disabled ? "disable" : "enable";
  command
    .description(
      disabled
        ? "Refuse a partner's new requests from now on. Orders that were accepted run to their end."
        : "Let a disabled partner in again, with the token it had.",
    )
    .argument("<id>", "the partner")
    .option(...JSON_OPTION)
    .action(async (id: string, { json = false }: { json?: boolean }) => {
      await withStorage(configHere(), async ({ partners }) => {
        if (!(await partners.setDisabled(id, disabled, Date.now()))) throw unknownPartner(id);
      });
      if (json) printJson({ partner_id: id, state: `${verb}d` });
      else print(`Partner ${id} is ${verb}d.`);
    });
  withExamples(command, [
    [`partner ${verb} wave-tours`, disabled ? "Lock a partner out" : "Let it in again"],
  ]);
}
