import { text } from "node:stream/consumers";
import { type Command, Option } from "commander";
import type { Config } from "../config.ts";
import { signingSecret } from "../config/parsers.ts";
import { createCredentials } from "../lib/credentials.ts";
import { isoTime } from "../lib/iso-time.ts";
import { newSigningSecret } from "../outbound/signature.ts";
import type { SealedSecrets } from "../storage/partners.ts";
import { configHere, withStorage } from "./cli/database.ts";
import { Failure } from "./cli/failure.ts";
import { JSON_OPTION, withExamples } from "./cli/help.ts";
import { paint, print, printJson } from "./cli/output.ts";
import { parseDuration, span } from "./cli/time.ts";
import { userOfShell } from "./cli/user.ts";
import { unknownHolder } from "./token-holder.ts";

/** What a secret that a partner brings must have at least, as in PARTNERS_JSON. */
const MIN_SECRET_BYTES = 16;

interface SecretOptions {
  readonly overlap: number;
  readonly secretStdin?: true;
  readonly remove?: true;
  readonly json?: true;
}

export function defineSecret(command: Command): void {
  command
    .description(
      "Give a partner a new signing secret for its callbacks. It is sealed under APP_HMAC_SECRET. Until the overlap is " +
        "over, webhook-signature carries two signatures, the new secret's and that of the one before (the partner's " +
        "own, or CALLBACK_SIGNING_SECRET); X-Callback-Signature is always the new one's.",
    )
    .argument("<id>", "the partner")
    .addOption(
      new Option("--overlap <duration>", "how long the present secret signs too: 0s, 15m, 24h, 7d")
        .argParser(parseDuration)
        .default(parseDuration("24h"), "24h"),
    )
    .option("--secret-stdin", "read the secret from the first line of stdin instead of generating one")
    .addOption(
      new Option("--remove", "no secret of its own: CALLBACK_SIGNING_SECRET signs").conflicts("secretStdin"),
    )
    .option(...JSON_OPTION)
    .action(setSecret);
  withExamples(command, [
    ["partner secret wave-tours", "A new secret; both sign for a day"],
    ["partner secret wave-tours --overlap 0s", "The present one has leaked: end it at once"],
    ["partner secret wave-tours --secret-stdin < secret.txt", "The partner has chosen it"],
    ["partner secret wave-tours --remove", "Back to the secret that all partners share"],
  ]);
}

async function setSecret(id: string, options: SecretOptions): Promise<void> {
  const config = configHere();
  const credentials = credentialsOf(config);
  const given = options.secretStdin ? await firstLineOfStdin() : null;
  const secret = options.remove ? null : (given ?? newSigningSecret());
  const shared = config.callback.signingSecret;
  const nowMs = Date.now();
  const until = options.overlap === 0 ? null : nowMs + options.overlap;
  await withStorage(config, async ({ partners }) => {
    const inherited = shared === null || secret === null ? null : credentials.seal(shared);
    const sealed = secret === null ? null : credentials.seal(secret);
    const isKnown = await partners.rotateSigningSecret(id, sealed, { inherited, until }, nowMs, {
      actor: userOfShell(),
      reason: "",
    });
    if (!isKnown) throw unknownHolder("partner", id);
  });
  if (options.json) {
    return printJson({
      partner_id: id,
      ...(given === null && secret !== null ? { signing_secret: secret } : {}),
      own_signing_secret: secret !== null,
      previous_valid_until: until === null ? null : isoTime(until),
    });
  }
  if (secret !== null) {
    print(`Partner ${id} has a new signing secret${given === null ? ":" : "."}`);
    if (given === null) print(`\n  ${paint("bold", secret)}\n`);
  } else {
    print(`Partner ${id} has no signing secret of its own any more.`);
    print(shared === null ? "Its callbacks go unsigned." : "CALLBACK_SIGNING_SECRET signs its callbacks.");
  }
  print(
    until === null
      ? "The one before has ended."
      : `The one before signs too until ${isoTime(until)} (${span(options.overlap)}).`,
  );
  if (secret !== null && given === null) print("The new one is not shown again.");
}

export function defineReseal(command: Command): void {
  command
    .description(
      "Seal every partner's signing secrets anew under the newest key of APP_HMAC_SECRET, so that an older one can be " +
        "dropped. Tokens can't be, as only their digests are known: those need `partner rotate`. `doctor` counts both.",
    )
    .option(...JSON_OPTION)
    .action(reseal);
  withExamples(command, [["partner reseal", "APP_HMAC_SECRET has got a new first line"]]);
}

async function reseal({ json = false }: { json?: boolean }): Promise<void> {
  const config = configHere();
  const credentials = credentialsOf(config);
  const nowMs = Date.now();
  const done: string[] = [];
  const problems: string[] = [];
  await withStorage(config, async ({ partners }) => {
    for (const partner of (await partners.list()).filter(({ development }) => !development)) {
      const isOver = (partner.previousSigningSecretUntil ?? 0) <= nowMs;
      const kept = { ...partner, ...(isOver ? { previousSigningSecret: null } : {}) };
      const isOld = (sealed: string | null) => sealed !== null && credentials.standing(sealed) !== "newest";
      if (!isOld(partner.signingSecret) && !isOld(partner.previousSigningSecret)) continue;
      try {
        if (await partners.reseal(partner.id, partner, anew(kept), nowMs)) done.push(partner.id);
        else problems.push(`${partner.id}: it has been changed meanwhile`);
      } catch (error) {
        problems.push(`${partner.id}: ${(error as Error).message}`);
      }
    }
  });
  if (problems.length > 0) {
    const advice = "add the key that they were sealed with to APP_HMAC_SECRET, or give them new secrets";
    throw new Failure("failed", "some secrets could not be sealed anew", { problems, advice });
  }
  if (json) return printJson({ resealed: done });
  print(
    done.length === 0
      ? "Every signing secret is sealed under the newest key."
      : `Sealed anew: ${done.join(", ")}.`,
  );

  function anew({ signingSecret: current, previousSigningSecret: previous }: SealedSecrets): SealedSecrets {
    const one = (sealed: string | null) =>
      sealed === null ? null : credentials.seal(credentials.unseal(sealed));
    return { signingSecret: one(current), previousSigningSecret: one(previous) };
  }
}

function credentialsOf({ appHmacSecrets: keys }: Config) {
  if (keys.length > 0) return createCredentials({ keys, development: false });
  throw new Failure("usage", "APP_HMAC_SECRET is not set: a signing secret is stored encrypted under it");
}

async function firstLineOfStdin(): Promise<string> {
  if (process.stdin.isTTY) process.stderr.write("Reading stdin until its end (Ctrl-D) ...\n");
  const [line = ""] = (await text(process.stdin)).split(/\r?\n/);
  const problems: string[] = [];
  const secret = signingSecret(MIN_SECRET_BYTES)(line, (problem) => problems.push(`the secret ${problem}`));
  if (secret === null) throw new Failure("usage", "the secret can't be used", { problems });
  return secret;
}
