import type { Command } from "commander";
import { isDeepStrictEqual } from "node:util";
import type { Config } from "../config.ts";
import { prepareExchange } from "../gateway.ts";
import { spanId, uuidV7 } from "../lib/ids.ts";
import type { ParsedJson } from "../lib/strict-json.ts";
import { plainConnector } from "../outbound/connector.ts";
import { type Answer, createHttpClient } from "../outbound/http-client.ts";
import { attemptHeaders, findingOf, keptAnswer } from "../pipeline/attempt.ts";
import type { Exchange, Reading } from "../pipeline/exchange.ts";
import { configHere } from "./cli/database.ts";
import { EXIT_CODES, Failure } from "./cli/failure.ts";
import { JSON_OPTION, withExamples } from "./cli/help.ts";
import { readOrderFile } from "./cli/order-file.ts";
import { brief, print, printJson } from "./cli/output.ts";

export function define(command: Command): void {
  command.description("Try the ticketing system that TICKETING_URL names.");
  const probe = command
    .command("probe")
    .summary("does ticketing honour the Idempotency-Key?")
    .description(
      "Send one test order twice under one Idempotency-Key, and say whether the second brought the tickets of the " +
        "first. WaveGate repeats an attempt whose answer was lost: if ticketing doesn't honour the key, that buys a " +
        "second ticket, and TICKETING_ON_UNKNOWN=hold is the safe setting. This really buys what the order says.",
    )
    .requiredOption(
      "--order <file>",
      "a JSON file with an order as partners send it, which may be ticketed for a test; - for stdin",
    )
    .option("--partner <id>", "the partner it seems to come from", "probe")
    .option(...JSON_OPTION)
    .action(sendTwice);
  withExamples(command, [["ticketing probe --order test-order.json", "Before the first real order"]]);
  withExamples(probe, [["ticketing probe --order test-order.json", "Before the first real order"]]);
}

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

interface Options {
  readonly order: string;
  readonly partner: string;
  readonly json?: boolean;
}

/** What two answers under one key say of the system that gave them. */
type Finding = "honoured" | "not_honoured" | "refuses_repeats" | "undecided";

const ADVICE: Record<Finding, string> = {
  honoured: "The second answer brought the first one's tickets: repeats are safe.",
  not_honoured:
    "The second answer brought other tickets: a repeat buys twice. Set TICKETING_ON_UNKNOWN=hold, and have ticketing honour the key.",
  refuses_repeats:
    "The second was refused: nothing is bought twice, but the tickets of a lost answer can't be had by a repeat. " +
    "Consider TICKETING_ON_UNKNOWN=hold.",
  undecided:
    "The first was not ticketed, or neither answer carried tickets or a reference: nothing can be said.",
};

async function sendTwice({ order: file, partner, json = false }: Options): Promise<void> {
  const config = configHere();
  const { url } = config.ticketing;
  if (url === null) throw new Failure("usage", "TICKETING_URL is not set: there is nothing to probe");
  const payload = readOrderFile(file);
  const order = { orderId: 0, traceId: uuidV7(Date.now()), partnerId: partner };
  const exchange = await prepareExchange(config, SILENT);
  const answers = await postTwice(config, exchange, order, payload);
  const [first, second] = answers.map((answer) => ({ ...exchange.read(answer, order), code: answer.code }));
  const finding = findingOfTwo(first!, second!);
  const shown = answers.map((answer) => ({
    code: answer.code,
    error: answer.error,
    finding: findingOf("ticketing", answer),
    answer: keptAnswer(answer.body),
  }));
  if (finding !== "honoured") process.exitCode = EXIT_CODES.failed;
  if (json)
    return printJson({ finding, advice: ADVICE[finding], idempotency_key: order.traceId, answers: shown });
  print(`Idempotency-Key ${order.traceId}, twice to ${new URL(url).origin}`);
  shown.forEach((each, index) =>
    print(`  ${index + 1}. ${each.finding}: ${brief(each.answer ?? "no body", 200)}`),
  );
  print(ADVICE[finding]);
}

async function postTwice(
  { ticketing }: Config,
  exchange: Exchange,
  order: { orderId: number; traceId: string; partnerId: string },
  payload: ParsedJson,
): Promise<[Answer, Answer]> {
  const { timeoutMs, authorization } = ticketing;
  const client = createHttpClient({ connections: 1, connector: plainConnector({ timeoutMs }) });
  const externalOrderId = String(JSON.parse(payload.members.get("external_order_id")!));
  const request = exchange.request(order, payload);
  if (!request.ok)
    throw new Failure("failed", `the mapping has no request for this order: ${request.reason}`);
  const post = (): Promise<Answer> =>
    client.post({
      url: new URL(ticketing.url!),
      headers: {
        ...attemptHeaders({ ...order, externalOrderId }, order.traceId, spanId()),
        ...request.headers,
        ...(authorization === null ? {} : { authorization }),
      },
      body: request.body,
      deadlineMs: timeoutMs,
      maxBodyBytes: 4 * 1024 * 1024,
      wholeBody: true,
    });
  try {
    return [await post(), await post()];
  } finally {
    client.destroy();
  }
}

function findingOfTwo(first: Reading, second: Reading & Pick<Answer, "code">): Finding {
  if (first.outcome !== "done" || first.taken === null) return "undecided";
  const isRefused = second.code !== null && second.code >= 400 && second.code < 500;
  if (second.already || (isRefused && second.outcome !== "done")) return "refuses_repeats";
  if (second.outcome !== "done" || second.taken === null) return "undecided";
  const [one, two] = [first.taken, second.taken];
  if (one.reference === null && one.tickets.length === 0) return "undecided";
  const isSame = one.reference === two.reference && isDeepStrictEqual(one.tickets, two.tickets);
  return isSame ? "honoured" : "not_honoured";
}
