import { type Command, Option } from "commander";
import type { OperatorSeed } from "../config.ts";
import { operators as readOperators } from "../config/seeds.ts";
import { createCredentials } from "../lib/credentials.ts";
import { secretToken } from "../lib/ids.ts";
import { endsAt } from "../http/partner-view.ts";
import { isoTime } from "../lib/iso-time.ts";
import type { Operator } from "../storage/operators.ts";
import { configHere, withStorage } from "./cli/database.ts";
import { Failure } from "./cli/failure.ts";
import { JSON_OPTION, withExamples } from "./cli/help.ts";
import { invocation } from "./cli/invocation.ts";
import { paint, plain, print, printJson, table } from "./cli/output.ts";
import { defineRotate, defineSwitch, stateCell, type TokenHolder } from "./token-holder.ts";

const OPERATOR: TokenHolder = {
  noun: "operator",
  article: "an",
  argument: "name",
  field: "name",
  example: "kim",
  tokenPrefix: "wgo_",
  header: (token) => `Authorization: Bearer ${token}`,
  disabling: "Refuse an operator's requests from now on. What the operator did stays on record.",
  rotateToken: ({ operators }, name, digest, until) => operators.rotateToken(name, digest, until),
  setDisabled: ({ operators }, name, disabled, nowMs) => operators.setDisabled(name, disabled, nowMs),
};

export function define(command: Command): void {
  command.description(
    "Add operators, who may see every partner's orders over HTTP (viewer), and act on them too (operator); rotate their " +
      "tokens, disable them. Changes hold at once, without a restart.",
  );
  defineAdd(command.command("add").summary("add an operator; the token is shown once"));
  defineList(command.command("list").summary("list the operators"));
  defineRotate(command.command("rotate").summary("give an operator a new token; it is shown once"), OPERATOR);
  defineSwitch(command.command("disable").summary("refuse an operator's requests"), true, OPERATOR);
  defineSwitch(command.command("enable").summary("let a disabled operator in again"), false, OPERATOR);
  withExamples(command, [
    ["operator add kim --role viewer", "Add an operator"],
    ["operator rotate kim --overlap 1h", "Rotate the token; the old one holds for an hour"],
    ["operator disable kim", "Lock an operator out"],
  ]);
}

interface AddOptions {
  readonly role: OperatorSeed["role"];
  readonly json?: boolean;
}

function defineAdd(command: Command): void {
  command
    .description("Add an operator. The token is generated, shown once, and stored as a digest.")
    .argument("<name>", "who it is, for the record")
    .addOption(
      new Option("--role <role>", "viewer: looks; operator: acts too")
        .choices(["viewer", "operator"])
        .makeOptionMandatory(),
    )
    .option(...JSON_OPTION)
    .action(add);
  withExamples(command, [["operator add kim --role viewer", "Let a person or a dashboard look"]]);
}

async function add(name: string, { role, json = false }: AddOptions): Promise<void> {
  const token = secretToken(OPERATOR.tokenPrefix);
  requireName({ name, role, token });
  const config = configHere();
  const { digest } = createCredentials({ keys: config.appHmacSecrets, development: false });
  const operator = { name, role, tokenDigest: digest(token), development: false };
  await withStorage(config, async ({ operators }) => {
    if (await operators.add(operator, Date.now())) return;
    throw new Failure("failed", `operator ${plain(name)} exists already`, {
      advice: `\`${invocation()} operator rotate\` gives a new token`,
    });
  });
  if (json) return printJson({ name, role, token });
  print(`Operator ${plain(name)} may ask now, as ${role}:\n`);
  print(`  ${OPERATOR.header(paint("bold", token))}\n`);
  print("This is not shown again: what is stored can't tell it.");
}

/** The rules of OPERATORS_JSON hold here too. */
function requireName(seed: OperatorSeed): void {
  const problems: string[] = [];
  readOperators(JSON.stringify([seed]), (problem) => problems.push(`<name> ${problem}`));
  if (problems.length > 0) throw new Failure("usage", "the operator can't be added", { problems });
}

function defineList(command: Command): void {
  command
    .description("List the operators. Nothing secret is shown.")
    .option(...JSON_OPTION)
    .action(list);
  withExamples(command, [["operator list", "See who may read all orders"]]);
}

async function list({ json = false }: { json?: boolean }): Promise<void> {
  const operators = await withStorage(configHere(), (storage) => storage.operators.list());
  const nowMs = Date.now();
  if (json) return printJson(operators.map((operator) => operatorView(operator, nowMs)));
  if (operators.length === 0) {
    return print(`No operators yet: \`${invocation()} operator add <name> --role <role>\` adds one.`);
  }
  const rows = operators.map((operator) => [
    operator.name,
    operator.role,
    stateCell(operator),
    isoTime(operator.createdAt).slice(0, 10),
  ]);
  print(table(["NAME", "ROLE", "STATE", "SINCE"], rows));
}

function operatorView(operator: Operator, nowMs: number) {
  return {
    name: operator.name,
    role: operator.role,
    state: operator.disabledAt === null ? "enabled" : "disabled",
    development: operator.development,
    previous_token_valid_until: endsAt(operator.previousTokenUntil, nowMs),
    disabled_at: operator.disabledAt === null ? null : isoTime(operator.disabledAt),
    created_at: isoTime(operator.createdAt),
  };
}
