import { type Command, InvalidArgumentError, Option } from "commander";
import { checkPartnerEntry } from "../config/partner-entry.ts";
import { partnerView } from "../http/partner-view.ts";
import type { Partner, PartnerSettings } from "../storage/partners.ts";
import { configHere, withStorage } from "./cli/database.ts";
import { Failure } from "./cli/failure.ts";
import { JSON_OPTION, withExamples } from "./cli/help.ts";
import { print, printJson } from "./cli/output.ts";
import { userOfShell } from "./cli/user.ts";
import { asRecord } from "./order-acts.ts";
import { unknownHolder } from "./token-holder.ts";

interface SetOptions {
  readonly name?: string;
  readonly cidr?: readonly string[];
  readonly anyAddress?: true;
  readonly rateCapacity?: number;
  readonly ratePerSec?: number;
  readonly defaultRate?: true;
  readonly callbackHost?: readonly string[];
  readonly anyCallbackHost?: true;
  readonly rejectRepeats?: boolean;
  readonly failureEvents?: boolean;
  readonly holdLimit?: number | null;
  readonly reason?: string;
  readonly actor?: string;
  readonly json?: boolean;
}

export function defineSet(command: Command): void {
  command
    .description(
      "Change what is named of a partner. It holds at once, and is recorded with what it was before.",
    )
    .argument("<id>", "the partner")
    .option("--name <name>", "its name, for people")
    .option("--cidr <cidr>", "the only addresses it may send from, may be repeated", collect)
    .addOption(new Option("--any-address", "it may send from anywhere").conflicts("cidr"))
    .option("--rate-capacity <tokens>", "its own rate limit: the bucket's size", asNumber)
    .option("--rate-per-sec <tokens>", "its own rate limit: tokens per second", asNumber)
    .addOption(
      new Option("--default-rate", "the configuration's rate limit").conflicts([
        "rateCapacity",
        "ratePerSec",
      ]),
    )
    .option(
      "--callback-host <host>",
      "the only hosts of its callbacks, may be repeated: exact names, *.x for subdomains of x",
      collect,
    )
    .addOption(new Option("--any-callback-host", "no list of its own").conflicts("callbackHost"))
    .option("--reject-repeats", "refuse an external_order_id that it has used before")
    .option("--no-reject-repeats", "accept it, as a new order")
    .option("--failure-events", "tell it of orders that come to stand without tickets")
    .option("--no-failure-events", "tell it of tickets alone")
    .option("--hold-limit <secs|default>", "how long an outage may hold its orders", asHoldLimit)
    .option("--reason <text>", "why, for the record", asRecord)
    .option("--actor <name>", "who, for the record; without: the user of this shell", asRecord)
    .option(...JSON_OPTION)
    .action(set);
  withExamples(command, [
    ["partner set wave-tours --cidr 203.0.113.0/24 --cidr 198.51.100.7/32", "Bind it to its networks"],
    ["partner set wave-tours --rate-capacity 20 --rate-per-sec 5", "A limit of its own"],
    ["partner set wave-tours --any-address --default-rate", "Back to what all have"],
  ]);
}

async function set(id: string, options: SetOptions): Promise<void> {
  const { reason = "", actor = userOfShell(), json = false } = options;
  if ((options.rateCapacity === undefined) !== (options.ratePerSec === undefined)) {
    throw new Failure("usage", "--rate-capacity and --rate-per-sec only go together");
  }
  await withStorage(configHere(), async ({ partners }) => {
    const partner = await partners.find(id);
    if (partner === null) throw unknownHolder("partner", id);
    const settings = settingsOf(partner, options);
    if (Object.keys(settings).length === 0) throw new Failure("usage", "say what to change; see --help");
    const changed = await partners.set(id, settings, Date.now(), { actor, reason });
    if (changed === null) throw unknownHolder("partner", id);
    if (json) return printJson({ ...partnerView((await partners.find(id))!, Date.now()), changed });
    print(changed.length === 0 ? "It was so before: nothing is changed." : `Changed: ${changed.join(", ")}.`);
  });
}

/** What the options name, by the rules of PARTNERS_JSON. @throws {@link Failure} */
function settingsOf(partner: Partner, options: SetOptions): Partial<PartnerSettings> {
  const { name, cidr, callbackHost, rateCapacity, ratePerSec, rejectRepeats, failureEvents, holdLimit } =
    options;
  const check = checkPartnerEntry({
    id: partner.id,
    token: "none",
    name: name ?? partner.name,
    allowlist_cidrs: cidr,
    callback_hosts: callbackHost,
    rate_limit: rateCapacity === undefined ? undefined : { capacity: rateCapacity, per_sec: ratePerSec },
  });
  if (!check.ok) {
    const problems = check.problems.map(({ pointer, detail }) => `${pointer.slice(1)} ${detail}`);
    throw new Failure("usage", "the partner can't be changed so", { problems });
  }
  const { seed } = check;
  return {
    ...(name === undefined ? {} : { name: seed.name }),
    ...(cidr ? { allowlistCidrs: seed.allowlistCidrs } : options.anyAddress ? { allowlistCidrs: null } : {}),
    ...(callbackHost
      ? { callbackHosts: seed.callbackHosts }
      : options.anyCallbackHost
        ? { callbackHosts: null }
        : {}),
    ...(seed.rateLimit
      ? { rateCapacity: seed.rateLimit.capacity, ratePerSec: seed.rateLimit.perSec }
      : options.defaultRate
        ? { rateCapacity: null, ratePerSec: null }
        : {}),
    ...(rejectRepeats === undefined ? {} : { rejectRepeats }),
    ...(failureEvents === undefined ? {} : { failureEvents }),
    ...(holdLimit === undefined ? {} : { holdLimitSecs: holdLimit }),
  };
}

function collect(text: string, earlier: readonly string[] = []): string[] {
  return [...earlier, text];
}

function asNumber(text: string): number {
  if (!/^\d{1,9}(\.\d{1,6})?$/.test(text)) throw new InvalidArgumentError("A number is expected.");
  return Number(text);
}

function asHoldLimit(text: string): number | null {
  if (text === "default") return null;
  if (!/^\d{1,8}$/.test(text) || Number(text) > 31_536_000) {
    throw new InvalidArgumentError("Whole seconds up to 31536000 are expected, or default.");
  }
  return Number(text);
}
