import { readFileSync } from "node:fs";
import type { Command } from "commander";
import { isDeepStrictEqual } from "node:util";
import type { Config } from "../config.ts";
import { spanId, uuidV7 } from "../lib/ids.ts";
import { parseStrictJson } from "../lib/strict-json.ts";
import { checkOrderInput } from "../orders/order-input.ts";
import { readTicketingAnswer } from "../orders/ticketing-answer.ts";
import { ticketingRequest } from "../orders/ticketing-request.ts";
import { plainConnector } from "../outbound/connector.ts";
import { type Answer, createHttpClient } from "../outbound/http-client.ts";
import { attemptHeaders, findingOf, keptAnswer } from "../pipeline/attempt.ts";
import { configHere } from "./cli/database.ts";
import { EXIT_CODES, Failure } from "./cli/failure.ts";
import { JSON_OPTION, withExamples } from "./cli/help.ts";
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
      "a JSON file with an order as partners send it, which may be ticketed for a test",
    )
    .option("--partner <id>", "the partner it seems to come from", "probe")
    .option(...JSON_OPTION)
    .action(sendTwice);
  withExamples(command, [["ticketing probe --order test-order.json", "Before the first real order"]]);
  withExamples(probe, [["ticketing probe --order test-order.json", "Before the first real order"]]);
}

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
  const members = readOrder(file);
  const order = { traceId: uuidV7(Date.now()), partnerId: partner };
  const answers = await postTwice(config, new URL(url), order, members);
  const finding = findingOfTwo(answers);
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

function readOrder(file: string): ReadonlyMap<string, string> {
  let text: Buffer;
  try {
    text = readFileSync(file);
  } catch (error) {
    throw new Failure("usage", `${file} can't be read`, { cause: error });
  }
  const parsed = parseStrictJson(text);
  if (!parsed.ok) throw new Failure("usage", `${file}: ${parsed.detail}`);
  const checked = checkOrderInput(parsed.value, parsed.notPlainIntegers);
  if (checked.ok) return parsed.members;
  const problems = checked.problems.map(({ pointer, detail }) => `${pointer} ${detail}`);
  throw new Failure("usage", `${file} is no order as partners send it: ${problems.join("; ")}`);
}

async function postTwice(
  { ticketing }: Config,
  url: URL,
  order: { traceId: string; partnerId: string },
  members: ReadonlyMap<string, string>,
): Promise<[Answer, Answer]> {
  const { timeoutMs, authorization } = ticketing;
  const client = createHttpClient({ connections: 1, connector: plainConnector({ timeoutMs }) });
  const externalOrderId = String(JSON.parse(members.get("external_order_id")!));
  const post = (): Promise<Answer> =>
    client.post({
      url,
      headers: {
        ...attemptHeaders({ ...order, externalOrderId }, order.traceId, spanId()),
        ...(authorization === null ? {} : { authorization }),
      },
      body: ticketingRequest(order, members),
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

function findingOfTwo([first, second]: [Answer, Answer]): Finding {
  const isSuccess = ({ code, error }: Answer): boolean =>
    error === null && code !== null && code >= 200 && code < 300;
  if (!isSuccess(first)) return "undecided";
  if (second.code !== null && second.code >= 400 && second.code < 500) return "refuses_repeats";
  if (!isSuccess(second)) return "undecided";
  const [one, two] = [readTicketingAnswer(first.body), readTicketingAnswer(second.body)];
  if (one.reference === null && one.tickets.length === 0) return "undecided";
  const isSame = one.reference === two.reference && isDeepStrictEqual(one.tickets, two.tickets);
  return isSame ? "honoured" : "not_honoured";
}
