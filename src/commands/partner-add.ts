import { text } from "node:stream/consumers";
import { type Command, InvalidArgumentError } from "commander";
import type { PartnerSeed } from "../config.ts";
import { partners as readPartners } from "../config/seeds.ts";
import { createCredentials } from "../lib/credentials.ts";
import { secretToken } from "../lib/ids.ts";
import { newSigningSecret } from "../outbound/signature.ts";
import { newPartner } from "../provision.ts";
import { TOKEN_PREFIX } from "../storage/partners.ts";
import { configHere, withStorage } from "./cli/database.ts";
import { Failure } from "./cli/failure.ts";
import { JSON_OPTION, withExamples } from "./cli/help.ts";
import { invocation } from "./cli/invocation.ts";
import { paint, print, printJson } from "./cli/output.ts";
import { userOfShell } from "./cli/user.ts";
import { MIN_SECRET_CHARS } from "./doctor-secrets.ts";

interface AddOptions {
  readonly name?: string;
  readonly tokenStdin?: true;
  readonly cidr?: string[];
  readonly rateCapacity?: number;
  readonly ratePerSec?: number;
  readonly callbackHost?: string[];
  readonly signingSecret?: "generate" | "-";
  readonly rejectRepeats?: true;
  readonly failureEvents?: true;
  readonly json?: true;
}

export function defineAdd(command: Command): void {
  command
    .description("Add a partner. Its token is generated, shown once, and stored as a digest.")
    .argument("<id>", "what it sends as X-Partner-Id: letters, digits, . _ -")
    .requiredOption("--name <name>", "its name, for people")
    .option("--token-stdin", "read the token from the first line of stdin instead of generating one")
    .option("--cidr <cidr>", "addresses it may send from, may be repeated; without: from anywhere", collect)
    .option("--rate-capacity <tokens>", "its own rate limit: the bucket's size", asNumber)
    .option("--rate-per-sec <tokens>", "its own rate limit: tokens per second", asNumber)
    .option(
      "--callback-host <host>",
      "the only hosts of its callbacks, may be repeated: exact names, *.x for subdomains of x",
      collect,
    )
    .option(
      "--signing-secret <generate|->",
      "a signing secret of its own: generated and shown once, or - for the next line of stdin",
      asSecretSource,
    )
    .option("--reject-repeats", "refuse an external_order_id that it has used before")
    .option(
      "--failure-events",
      "tell it also of orders that fail: order.blocked, order.exhausted, order.cancelled",
    )
    .option(...JSON_OPTION)
    .action(add);
  withExamples(command, [
    ["partner add wave-tours --name 'Wave Tours'", "Generate a token"],
    [
      "partner add wave-tours --name 'Wave Tours' --cidr 203.0.113.0/24 --signing-secret generate",
      "Bind it to its network, and sign its callbacks with its own secret",
    ],
    ["partner add wave-tours --name 'Wave Tours' --token-stdin < token.txt", "Bring the token along"],
  ]);
}

async function add(id: string, options: AddOptions): Promise<void> {
  if ((options.rateCapacity === undefined) !== (options.ratePerSec === undefined)) {
    throw new Failure("usage", "--rate-capacity and --rate-per-sec only go together");
  }
  const lines = options.tokenStdin || options.signingSecret === "-" ? await stdinLines() : [];
  const token = options.tokenStdin ? (lines.shift() ?? "") : secretToken(TOKEN_PREFIX);
  const signingSecret =
    options.signingSecret === "generate"
      ? newSigningSecret()
      : options.signingSecret && (lines.shift() ?? "");
  const seed = checkedSeed({
    id,
    name: options.name,
    token,
    allowlist_cidrs: options.cidr,
    rate_limit:
      options.rateCapacity === undefined
        ? undefined
        : { capacity: options.rateCapacity, per_sec: options.ratePerSec },
    signing_secret: signingSecret,
    callback_hosts: options.callbackHost,
    reject_repeats: options.rejectRepeats,
  });
  const config = configHere();
  if (seed.signingSecret !== null && config.appHmacSecrets.length === 0) {
    throw new Failure("usage", "APP_HMAC_SECRET is not set: a signing secret is stored encrypted under it");
  }
  const credentials = createCredentials({ keys: config.appHmacSecrets, development: false });
  const { failureEvents = false } = options;
  const partner = { ...newPartner(seed, credentials, false), failureEvents };
  const act = { actor: userOfShell(), reason: "" };
  await withStorage(config, async ({ partners }) => {
    if (await partners.add(partner, Date.now(), act)) return;
    const stored = (await partners.findMany([id])).get(id);
    // As in PARTNERS_JSON: a development partner becomes a real one.
    if (stored?.development) return partners.adopt(partner, Date.now(), act);
    throw new Failure("failed", `partner ${id} exists already`, {
      advice: `\`${invocation()} partner rotate ${id}\` gives it a new token`,
    });
  });

  if (options.tokenStdin && token.length < MIN_SECRET_CHARS) {
    process.stderr.write(
      `The token is shorter than ${MIN_SECRET_CHARS} characters, and may be found by trying.\n`,
    );
  }
  const secret = options.signingSecret === "generate" ? seed.signingSecret : null;
  if (options.json) {
    return printJson({
      partner_id: id,
      name: seed.name,
      ...(options.tokenStdin ? {} : { token }),
      ...(secret === null ? {} : { signing_secret: secret }),
    });
  }
  print(`Partner ${id} may send orders now.`);
  if (!options.tokenStdin) print(`\n  X-Partner-Id: ${id}\n  X-Partner-Token: ${paint("bold", token)}`);
  if (secret !== null) print(`\n  Signing secret: ${paint("bold", secret)}`);
  if (!options.tokenStdin || secret !== null)
    print("\nThis is not shown again: what is stored can't tell it.");
}

/** The flags behind the fields of PARTNERS_JSON, whose rules hold here too. */
const FLAGS: Readonly<Record<string, string>> = {
  id: "<id>",
  name: "--name",
  token: "the token",
  allowlist_cidrs: "--cidr",
  rate_limit: "--rate-capacity with --rate-per-sec",
  signing_secret: "--signing-secret",
  callback_hosts: "--callback-host",
};

function checkedSeed(entry: object): PartnerSeed {
  const problems: string[] = [];
  const seeds = readPartners(JSON.stringify([entry]), (problem, path = "") => {
    const [, field = "", index] = /^\[0\]\.(\w+)(?:\[(\d+)\])?/.exec(path) ?? [];
    const which = index === undefined ? "" : ` number ${Number(index) + 1}`;
    problems.push(`${FLAGS[field] ?? field}${which} ${problem}`);
  });
  const [seed] = seeds ?? [];
  if (problems.length > 0 || !seed) throw new Failure("usage", "the partner can't be added", { problems });
  return seed;
}

async function stdinLines(): Promise<string[]> {
  if (process.stdin.isTTY) process.stderr.write("Reading stdin until its end (Ctrl-D) ...\n");
  return (await text(process.stdin)).split(/\r?\n/);
}

function collect(text: string, earlier: readonly string[] = []): string[] {
  return [...earlier, text];
}

function asNumber(text: string): number {
  if (!/^\d{1,9}(\.\d{1,6})?$/.test(text)) throw new InvalidArgumentError("A number is expected.");
  return Number(text);
}

function asSecretSource(text: string): string {
  if (text !== "generate" && text !== "-") {
    throw new InvalidArgumentError("Secrets don't belong on a command line: write generate, or - for stdin.");
  }
  return text;
}
