import type { Command } from "commander";
import { partnerStandingView, partnerView } from "../http/partner-view.ts";
import { isoTime } from "../lib/iso-time.ts";
import { TOKEN_PREFIX } from "../storage/partners.ts";
import { configHere, withStorage } from "./cli/database.ts";
import { fittedTable } from "./cli/fitted-table.ts";
import { JSON_OPTION, withExamples } from "./cli/help.ts";
import { invocation } from "./cli/invocation.ts";
import { print, printJson } from "./cli/output.ts";
import { relative } from "./cli/time.ts";
import { userOfShell } from "./cli/user.ts";
import { defineAdd } from "./partner-add.ts";
import { defineReseal, defineSecret } from "./partner-secret.ts";
import { defineSet } from "./partner-set.ts";
import { defineTest } from "./partner-test.ts";
import { defineRotate, defineSwitch, stateCell, type TokenHolder } from "./token-holder.ts";

const PARTNER: TokenHolder = {
  noun: "partner",
  article: "a",
  argument: "id",
  field: "partner_id",
  example: "wave-tours",
  tokenPrefix: TOKEN_PREFIX,
  header: (token) => `X-Partner-Token: ${token}`,
  disabling: "Refuse a partner's new requests from now on. Orders that were accepted run to their end.",
  rotateToken: ({ partners }, id, digest, until, nowMs) =>
    partners.rotateToken(id, digest, until, nowMs, byShell()),
  setDisabled: ({ partners }, id, disabled, nowMs) => partners.setDisabled(id, disabled, nowMs, byShell()),
};

function byShell() {
  return { actor: userOfShell(), reason: "" };
}

export function define(command: Command): void {
  command.description(
    "Add partners, rotate their tokens and signing secrets, disable them. Changes hold at once, without a restart.",
  );
  defineAdd(command.command("add").summary("add a partner; its token is shown once"));
  defineList(command.command("list").summary("list the partners"));
  defineSet(command.command("set").summary("change its name, addresses, limits, callback hosts"));
  defineTest(command.command("test").summary("send its endpoint a signed test callback"));
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

/** Where the terminal is narrow. */
const DISPENSABLE = ["SINCE", "SIGNING", "CALLBACK HOSTS", "RATE", "FROM", "NAME"];

async function list({ json = false }: { json?: boolean }): Promise<void> {
  const nowMs = Date.now();
  const { partners, standings } = await withStorage(configHere(), async (storage) => {
    const found = await storage.partners.list();
    const ids = found.map(({ id }) => id);
    return { partners: found, standings: await storage.readPartnerStandings(ids, nowMs) };
  });
  if (json) {
    const views = partners.map((partner) => ({
      ...partnerView(partner, nowMs),
      ...partnerStandingView(standings.get(partner.id)!),
    }));
    return printJson(views);
  }
  if (partners.length === 0) {
    return print(`No partners yet: \`${invocation()} partner add <id> --name <name>\` adds one.`);
  }
  const lastSeen = (id: string): string => {
    const { lastSeenAt } = standings.get(id)!;
    return lastSeenAt === null ? "never" : relative(lastSeenAt, nowMs);
  };
  const failures = (id: string): readonly number[] => {
    const { refusedRequests, failedCallbacks, stoppedTicketing, stoppedCallbacks } = standings.get(id)!;
    return [refusedRequests, failedCallbacks, stoppedTicketing + stoppedCallbacks];
  };
  const rows = partners.map((partner) => [
    partner.id,
    partner.name,
    stateCell(partner),
    lastSeen(partner.id),
    ...failures(partner.id).map(String),
    partner.allowlistCidrs?.join(", ") ?? "anywhere",
    partner.rateCapacity === null ? "default" : `${partner.rateCapacity}, ${partner.ratePerSec}/s`,
    partner.callbackHosts?.join(", ") ?? "any",
    partner.signingSecret === null ? "global" : "own",
    isoTime(partner.createdAt).slice(0, 10),
  ]);
  const head = [
    "ID",
    "NAME",
    "STATE",
    "LAST SEEN",
    "REFUSED 24 H",
    "CALLBACKS FAILED 24 H",
    "STAND STILL",
    "FROM",
    "RATE",
    "CALLBACK HOSTS",
    "SIGNING",
    "SINCE",
  ];
  print(fittedTable(head, rows, { drop: DISPENSABLE }));
}
