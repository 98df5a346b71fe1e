import type { Command } from "commander";
import { isoTime } from "../lib/iso-time.ts";
import type { Partner } from "../storage/partners.ts";
import { configHere, withStorage } from "./cli/database.ts";
import { JSON_OPTION, withExamples } from "./cli/help.ts";
import { invocation } from "./cli/invocation.ts";
import { print, printJson, table } from "./cli/output.ts";
import { defineAdd, TOKEN_PREFIX } from "./partner-add.ts";
import { defineReseal, defineSecret } from "./partner-secret.ts";
import { defineRotate, defineSwitch, endsAt, stateCell, type TokenHolder } from "./token-holder.ts";

const PARTNER: TokenHolder = {
  noun: "partner",
  article: "a",
  argument: "id",
  field: "partner_id",
  example: "wave-tours",
  tokenPrefix: TOKEN_PREFIX,
  header: (token) => `X-Partner-Token: ${token}`,
  disabling: "Refuse a partner's new requests from now on. Orders that were accepted run to their end.",
  rotateToken: ({ partners }, id, digest, until, nowMs) => partners.rotateToken(id, digest, until, nowMs),
  setDisabled: ({ partners }, id, disabled, nowMs) => partners.setDisabled(id, disabled, nowMs),
};

export function define(command: Command): void {
  command.description(
    "Add partners, rotate their tokens and signing secrets, disable them. Changes hold at once, without a restart.",
  );
  defineAdd(command.command("add").summary("add a partner; its token is shown once"));
  defineList(command.command("list").summary("list the partners"));
  defineRotate(command.command("rotate").summary("give a partner a new token; it is shown once"), PARTNER);
  defineSecret(command.command("secret").summary("give a partner a new signing secret; it is shown once"));
  defineReseal(command.command("reseal").summary("seal signing secrets under the newest APP_HMAC_SECRET"));
  defineSwitch(
    command.command("disable").summary("refuse a partner's new requests; accepted orders run on"),
    true,
    PARTNER,
  );
  defineSwitch(command.command("enable").summary("let a disabled partner in again"), false, PARTNER);
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
    stateCell(partner),
    partner.allowlistCidrs?.join(", ") ?? "anywhere",
    partner.rateCapacity === null ? "default" : `${partner.rateCapacity}, ${partner.ratePerSec}/s`,
    partner.callbackHosts?.join(", ") ?? "any",
    partner.signingSecret === null ? "global" : "own",
    isoTime(partner.createdAt).slice(0, 10),
  ]);
  print(table(["ID", "NAME", "STATE", "FROM", "RATE", "CALLBACK HOSTS", "SIGNING", "SINCE"], rows));
}

function partnerView(partner: Partner, nowMs: number) {
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
    previous_signing_secret_valid_until: endsAt(partner.previousSigningSecretUntil, nowMs),
    reject_repeats: partner.rejectRepeats,
    previous_token_valid_until: endsAt(partner.previousTokenUntil, nowMs),
    disabled_at: partner.disabledAt === null ? null : isoTime(partner.disabledAt),
    created_at: isoTime(partner.createdAt),
  };
}
