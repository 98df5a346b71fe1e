import { CONFIG_VARIABLES } from "../config.ts";
import type { Gateway } from "../gateway.ts";
import type { OrderView } from "../http/order-view.ts";
import { invocation } from "./cli/invocation.ts";
import { paint, table } from "./cli/output.ts";
import type { Scenario } from "./demo-orders.ts";
import { consoleLink, curlOf, type Development, partnerHeaders } from "./development.ts";

/** An order of the demo, and where it ended. */
export interface Result {
  readonly scenario: Scenario;
  readonly view: OrderView;
  readonly reached: boolean;
}

/** Where each order should be, and is. */
export function summary(results: readonly Result[]): string {
  const rows = results.map(({ scenario, view, reached }) => [
    String(view.id),
    view.external_order_id,
    scenario.story,
    scenario.expected,
    { text: view.status, style: reached ? "green" : "red" } as const,
    String(view.ticketing_job?.attempts.length ?? 0),
    String(view.ota_callback_job?.attempts.length ?? 0),
    String(view.tickets.length),
  ]);
  return table(
    ["ID", "ORDER", "WHAT HAPPENS", "EXPECTED", "ACTUAL", "TICKETING", "CALLBACKS", "TICKETS"],
    rows,
  );
}

export function resultView({ scenario, view, reached }: Result) {
  return {
    id: view.id,
    external_order_id: view.external_order_id,
    trace_id: view.trace_id,
    expected: scenario.expected,
    actual: view.status,
    reached,
    tickets: view.tickets.length,
  };
}

/** What to look at now: every line can be pasted. */
export function nextSteps(
  { url }: Gateway,
  development: Development,
  results: readonly Result[],
  exit: boolean,
): string {
  const { config, callbackUrl } = development;
  const [partner] = config.partners;
  const isDefault =
    config.databaseUrl === CONFIG_VARIABLES.find(({ name }) => name === "DATABASE_URL")?.default;
  const command = `${isDefault ? "" : `DATABASE_URL='${config.databaseUrl}' `}${invocation()}`;
  const blocked = results.find(({ view }) => view.status === "ticketing_blocked")?.view;
  const look = [
    ...(exit ? [] : ["The console, with these orders:", `  ${consoleLink(url ?? "", development)}`]),
    "The whole story of an order:",
    `  ${command} order show EXT-42`,
    ...(blocked && !exit
      ? [
          "Decide about the blocked one; watch it go on here:",
          `  ${command} order retry ${blocked.id} --reason 'on sale again'`,
        ]
      : []),
  ];
  if (exit || !partner) return look.join("\n");
  return [
    ...look,
    "The same over HTTP:",
    `  curl ${partnerHeaders(partner)
      .map((header) => `-H '${header}'`)
      .join(" ")} ${url}/orders/${results[0]?.view.id}`,
    "An order of your own:",
    `  ${curlOf(url ?? "", partner, callbackUrl)}`,
    "",
    paint("bold", "The gateway stays up. Ctrl-C ends it."),
  ].join("\n");
}
