import { type Command, InvalidArgumentError, Option } from "commander";
import { loadMapping, type MappingModule, SAMPLE_IDS } from "../config/mapping-module.ts";
import { systemClock } from "../lib/clock.ts";
import type { ParsedJson } from "../lib/strict-json.ts";
import { mappingOrder } from "../orders/mapping-calls.ts";
import type { MappingOrder } from "../orders/mapping.ts";
import type { Log } from "../observe/log.ts";
import type { Answer } from "../outbound/http-client.ts";
import { NO_TIMINGS } from "../outbound/timings.ts";
import type { Reading } from "../pipeline/exchange.ts";
import { createMappedExchange } from "../pipeline/mapped-exchange.ts";
import { configHere } from "./cli/database.ts";
import { EXIT_CODES, Failure } from "./cli/failure.ts";
import { JSON_OPTION, withExamples } from "./cli/help.ts";
import { readOrderFile, readSmallFile } from "./cli/order-file.ts";
import { paint, plain, print, printJson, toJson } from "./cli/output.ts";

interface Options {
  readonly mapping?: string;
  readonly order?: string;
  readonly status?: number;
  readonly response?: string;
  readonly expect?: Reading["outcome"];
  readonly json?: boolean;
}

const EXAMPLES = [
  ["mapping test", "See what the mapping's own sample order becomes"],
  ["mapping test --order order.json", "See what an order becomes"],
  ["mapping test --order order.json --status 200 --response answer.json", "And what an answer to it means"],
  ["mapping test --status 409 --expect done", "Hold an outcome in a script"],
] as const;

export function define(command: Command): void {
  command.description("Try the module that TICKETING_MAPPING names. Nothing is sent, nothing is stored.");
  const test = command
    .command("test")
    .summary("show what an order and an answer to it become")
    .description(
      "Show the order as the mapping sees it, the request it makes of it, and, with --status or --response, what an " +
        "answer means. Exit code 1 if the mapping fails, or the outcome isn't the one expected.",
    )
    .option(
      "--order <file>",
      "a JSON file with an order as partners send it, - for stdin; else the mapping's sample",
    )
    .option("--status <code>", "the status of ticketing's answer; 200 where there is a --response", asStatus)
    .option("--response <file>", "a file with the body of ticketing's answer; else it has none")
    .addOption(
      new Option("--expect <outcome>", "the outcome that the answer must have").choices([
        "done",
        "retry",
        "blocked",
      ]),
    )
    .option("--mapping <file>", "another module than TICKETING_MAPPING's")
    .option(...JSON_OPTION)
    .action(tryMapping);
  withExamples(command, EXAMPLES);
  withExamples(test, EXAMPLES);
}

async function tryMapping(options: Options): Promise<void> {
  const path = options.mapping ?? configHere().ticketing.mapping;
  if (path === null) {
    const advice = "set TICKETING_MAPPING, or name a module with --mapping";
    throw new Failure("usage", "there is no mapping to try", { advice });
  }
  const tried = tryOn(await load(path), options);
  if (!tried.ok) process.exitCode = EXIT_CODES.failed;
  if (options.json) return printJson({ mapping: path, ...tried });
  show(path, tried);
}

async function load(path: string): Promise<MappingModule> {
  try {
    return await loadMapping(path);
  } catch (error) {
    throw new Failure("failed", (error as Error).message, { cause: error });
  }
}

function tryOn({ mapping, sample }: MappingModule, options: Options) {
  const slow: string[] = [];
  const warn: Log["warn"] = (event) =>
    void slow.push([event["call"], "took", event["duration_ms"], "ms"].join(" "));
  const log = { debug() {}, info() {}, warn, error() {} };
  const exchange = createMappedExchange({ mapping, log, onUnknown: "retry", clock: systemClock });
  const who = { ...SAMPLE_IDS, orderId: 0 };
  const payload = options.order === undefined ? payloadOf(sample) : readOrderFile(options.order);
  const order = mappingOrder(SAMPLE_IDS, payload.value as object);
  const request = exchange.request(who, payload);
  const answer = answerOf(options);
  const reading = answer === null ? null : exchange.read(answer, who);
  const isExpected = options.expect === undefined || reading?.outcome === options.expect;
  return {
    ok: request.ok && reading?.error !== "mapping" && isExpected,
    order,
    request: request.ok ? { headers: request.headers, body: JSON.parse(request.body) as unknown } : null,
    request_failure: request.ok ? null : request.reason,
    answer: reading && {
      status: answer!.code,
      outcome: reading.outcome,
      expected: options.expect ?? null,
      finding: reading.finding,
      note: reading.note,
      reference: reading.taken?.reference ?? null,
      tickets: reading.taken?.tickets ?? [],
      retry_after_ms: reading.retryAfterMs,
    },
    slow,
  };
}

function payloadOf(value: MappingOrder): ParsedJson {
  return { value, members: new Map() };
}

function answerOf({ status, response, expect }: Options): Answer | null {
  if (status === undefined && response === undefined) {
    if (expect === undefined) return null;
    throw new Failure("usage", "--expect needs an answer: give --status or --response");
  }
  const body = response === undefined ? Buffer.alloc(0) : readSmallFile(response);
  return {
    code: status ?? 200,
    error: null,
    sent: true,
    detail: "",
    body,
    retryAfter: null,
    durationMs: 0,
    timings: NO_TIMINGS,
  };
}

function show(path: string, { order, request, request_failure, answer, slow }: ReturnType<typeof tryOn>) {
  const title = (text: string): void => print(paint("bold", text));
  title("Order, as the mapping sees it");
  print(toJson(order));
  title(`\nRequest, by ${plain(path)}`);
  if (request === null)
    print(paint("red", `none: ${plain(request_failure ?? "")}; the order would be blocked`));
  else {
    for (const [name, value] of Object.entries(request.headers)) print(`${name}: ${value}`);
    print(toJson(request.body));
  }
  if (answer !== null) {
    const { outcome, expected, finding, note, reference, tickets } = answer;
    title(`\nAnswer ${answer.status}`);
    const isExpected = expected === null || expected === outcome;
    print(paint(isExpected ? "green" : "red", outcome + (isExpected ? "" : `, and not ${expected}`)));
    print(plain(note === null ? finding : `${finding}; ${note}`));
    if (outcome === "done") print(`reference ${plain(reference ?? "none")}, tickets ${toJson(tickets)}`);
  }
  for (const line of slow) print(paint("yellow", `slow: ${line}, in which all other orders wait`));
}

function asStatus(text: string): number {
  if (!/^[2-5][0-9]{2}$/.test(text)) throw new InvalidArgumentError("A status from 200 to 599 is expected.");
  return Number(text);
}
