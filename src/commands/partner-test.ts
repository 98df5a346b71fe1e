import type { Command } from "commander";
import { createCallbacks } from "../gateway.ts";
import { systemClock } from "../lib/clock.ts";
import { createCredentials } from "../lib/credentials.ts";
import { createTestCallback } from "../pipeline/test-callback.ts";
import { configHere, withStorage } from "./cli/database.ts";
import { Failure } from "./cli/failure.ts";
import { JSON_OPTION, withExamples } from "./cli/help.ts";
import { brief, print, printJson } from "./cli/output.ts";
import { span } from "./cli/time.ts";
import { userOfShell } from "./cli/user.ts";
import { unknownHolder } from "./token-holder.ts";

export function defineTest(command: Command): void {
  command
    .description(
      "Send a partner's endpoint a signed wavegate.test event, through the same guard and with the same signatures as a " +
        "callback, and show what came back. Nothing is stored but that it was done.",
    )
    .argument("<id>", "the partner")
    .argument("<url>", "a URL of the partner's, by the rules of callback_url")
    .option(...JSON_OPTION)
    .action(tryCallback);
  withExamples(command, [
    [
      "partner test wave-tours https://wave.example.com/ota/callback",
      "Does it take callbacks, and verify them?",
    ],
  ]);
}

async function tryCallback(id: string, url: string, { json = false }: { json?: boolean }): Promise<void> {
  const config = configHere();
  const credentials = createCredentials({ keys: config.appHmacSecrets, development: config.dev });
  const stopped = new AbortController();
  const { client, step } = createCallbacks(config, credentials, stopped.signal);
  try {
    await withStorage(config, async ({ partners }) => {
      const partner = await partners.find(id);
      if (partner === null) throw unknownHolder("partner", id);
      const tested = await createTestCallback(step, systemClock)(partner, url);
      const { code, error, durationMs, answer } = tested.record;
      const detail = { host: URL.parse(url)?.host ?? null, code, error };
      const act = { actor: userOfShell(), reason: "", detail };
      await partners.record(id, "partner test callback", Date.now(), act);
      const { delivered, finding, eventId } = tested;
      const told = { event_id: eventId, delivered, finding, code, error, duration_ms: durationMs, answer };
      if (json) printJson({ partner_id: id, ...told });
      else if (delivered) {
        print(`Delivered: ${finding}${durationMs === null ? "" : ` in ${span(durationMs)}`}.`);
        if (answer !== null) print(brief(answer, 500));
      }
      if (!delivered) throw new Failure("failed", `not delivered: ${finding}`);
    });
  } finally {
    stopped.abort();
    client.destroy();
  }
}
