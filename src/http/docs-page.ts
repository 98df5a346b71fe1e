import { fieldTable, meaningOf, type Schema, typeOf } from "./docs-fields.ts";
import { code, escaped, folded, page, phrase, table, words } from "./docs-html.ts";

interface Media {
  readonly schema: Schema;
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, { readonly summary?: string; readonly value: unknown }>>;
}
type Content = Readonly<Record<string, Media>>;

interface Header {
  readonly description?: string;
  readonly required?: boolean;
  readonly schema: Schema;
  readonly example?: unknown;
}

interface Answer {
  readonly description: string;
  readonly headers?: Readonly<Record<string, Header>>;
  readonly content?: Content;
}

interface Operation {
  readonly operationId: string;
  readonly tags: readonly string[];
  readonly summary: string;
  readonly description: string;
  readonly security?: readonly object[];
  readonly parameters?: readonly (Header & { readonly name: string; readonly in: string })[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, Answer>>;
}
type Paths = Readonly<Record<string, Readonly<Record<string, Operation>>>>;

/** What this page reads of the OpenAPI document that the gateway serves. */
export interface ApiDescription {
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly tags: readonly { readonly name: string; readonly description: string }[];
  readonly components: {
    readonly securitySchemes: Readonly<Record<string, { readonly description: string }>>;
  };
  readonly paths: Paths;
  readonly webhooks: Paths;
}

interface Described {
  readonly method: string;
  /** A path, or the name of an event. */
  readonly place: string;
  readonly operation: Operation;
  /** True: the gateway asks. */
  readonly isWebhook: boolean;
}

const PROBLEM = "application/problem+json";
/** More parameters than this are folded. */
const MANY = 8;

/** The description of the API as one page of HTML, for readers without JavaScript too. */
export function renderDocs({ info, tags, components, paths, webhooks }: ApiDescription): string {
  const all = [...operationsIn(paths, false), ...operationsIn(webhooks, true)];
  const groups = tags.map((tag) => ({
    ...tag,
    found: all.filter(({ operation }) => operation.tags.includes(tag.name)),
  }));
  const nav = groups.map(
    ({ name, found }) =>
      `<b>${escaped(name)}</b><ul>${found.map((one) => `<li>${linkTo(one)}</li>`).join("")}</ul>`,
  );
  const schemes = Object.entries(components.securitySchemes).map(([name, { description }]) => [
    `<code>${escaped(name)}</code>`,
    phrase(description),
  ]);
  const parts = groups.map(
    ({ name, description, found }) =>
      `<h2 id="${escaped(name)}">${escaped(name)}</h2>${words(description)}${found.map(section).join("\n")}`,
  );
  const problems = `<h2 id="problems">problems</h2>
${words("Each as `application/problem+json`. `detail` begins as it does here.")}${problemsOf(all)}`;
  const about = `<h1>${escaped(info.title)}</h1>
<p>Version ${escaped(info.version)}. The same for programs: <a href="openapi.json">openapi.json</a> (OpenAPI 3.1).</p>
${words(info.description)}
<h4>Credentials</h4>${table(["", ""], schemes)}
${words("In the commands `$GATEWAY` is the gateway's address, and `$TOKEN` an operator's token.")}`;
  return page(
    `${info.title} API`,
    [...nav, '<b><a href="#problems">problems</a></b>'].join("\n"),
    [about, ...parts, problems].join("\n"),
  );
}

function operationsIn(paths: Paths, isWebhook: boolean): Described[] {
  return Object.entries(paths).flatMap(([place, item]) =>
    Object.entries(item).map(([method, operation]) => ({
      method: method.toUpperCase(),
      place,
      operation,
      isWebhook,
    })),
  );
}

function linkTo({ method, place, operation, isWebhook }: Described): string {
  const name = isWebhook ? "" : `<span class="method">${method}</span>`;
  return `<a href="#${escaped(operation.operationId)}" title="${escaped(operation.summary)}">${name}${escaped(place)}</a>`;
}

function section(described: Described): string {
  const { operation, isWebhook } = described;
  const { summary, description, parameters = [], requestBody, responses } = operation;
  const rows = parameters.map(({ name, in: where, required = false, description = "", schema, example }) => [
    `<code>${escaped(name)}</code>`,
    `${where}${required ? "" : ", optional"}<br>${typeOf(schema)}`,
    [
      meaningOf({ ...schema, description }),
      example === undefined ? "" : `<code>${escaped(shown(example))}</code>`,
    ]
      .filter((part) => part !== "")
      .join("<br>"),
  ]);
  const answers = Object.entries(responses).toSorted(([one], [other]) => (one < other ? -1 : 1));
  const right = answers.filter(
    ([, { content = {} }]) => !isProblem(content) || Object.keys(content).length > 1,
  );
  const wrong = answers.filter(([, { content = {} }]) => isProblem(content));
  const parameterRows = table(["name", "", "meaning"], rows);
  const isMany = rows.length > MANY && !isWebhook;
  return `<section id="${escaped(operation.operationId)}">
<h3>${linkTo(described)}</h3>
<p><strong>${phrase(summary)}</strong></p>
${words(description)}
${isWebhook ? "" : `<p>Access: ${accessTo(operation)}.</p>`}
${isMany ? folded(`Parameters (${rows.length})`, parameterRows) : titled(isWebhook ? "Headers" : "Parameters", parameterRows)}
${requestBody === undefined ? "" : titled("Body", mediaOf(requestBody.content, true))}
${isWebhook ? "" : titled("Request", code(curlOf(described)))}
${titled(isWebhook ? "Your answer" : "Answers", right.map(([status, answer]) => answerOf(status, answer)).join("\n"))}
${folded(
  "Problems",
  table(
    ["", "type", ""],
    wrong.flatMap(([status, answer]) => problemRows(status, answer)),
  ),
)}
</section>`;
}

function isProblem(content: Content): boolean {
  return Object.hasOwn(content, PROBLEM);
}

function problemRows(status: string, { content = {} }: Answer): string[][] {
  return Object.entries(content[PROBLEM]?.examples ?? {}).map(([name, { summary = "" }]) => [
    escaped(status),
    `<a href="#problem-${escaped(name)}"><code>urn:wavegate:problem:${escaped(name)}</code></a>`,
    phrase(summary),
  ]);
}

/** Each kind once, as many operations have it. */
function problemsOf(operations: readonly Described[]): string {
  const answers = operations.flatMap(({ operation }) => Object.values(operation.responses));
  const kinds = new Map(
    answers.flatMap(({ content = {} }) => Object.entries(content[PROBLEM]?.examples ?? {})),
  );
  return [...kinds]
    .map(
      ([name, { summary = "", value }]) =>
        `<section id="problem-${escaped(name)}"><h3>${phrase(summary)}</h3>${code(shown(value))}</section>`,
    )
    .join("\n");
}

function titled(title: string, inside: string): string {
  return inside === "" ? "" : `<h4>${title}</h4>${inside}`;
}

function accessTo({ security = [] }: Operation): string {
  const ways = security.map((way) =>
    Object.keys(way)
      .map((name) => `<code>${escaped(name)}</code>`)
      .join(" and "),
  );
  return ways.length === 0 ? "open" : ways.join(", or ");
}

function answerOf(status: string, { description, headers = {}, content }: Answer): string {
  const rows = Object.entries(headers).map(([name, { description = "", required, example }]) => [
    `<code>${escaped(name)}</code>`,
    required ? "" : "optional",
    `${phrase(description)}${example === undefined ? "" : `<br><code>${escaped(shown(example))}</code>`}`,
  ]);
  return `<p><strong>${escaped(status)}</strong> ${phrase(description)}</p>${table(["header", "", "meaning"], rows)}${mediaOf(content, false)}`;
}

function mediaOf(content: Content = {}, isOpen: boolean): string {
  return Object.entries(content)
    .filter(([type]) => type !== PROBLEM)
    .map(([type, { schema, example, examples }]) => {
      const shownExamples = examples ?? { example: { value: example } };
      const blocks = Object.values(shownExamples).map(
        ({ summary, value }) =>
          `${summary === undefined ? "" : `<p>${phrase(summary)}</p>`}${code(shown(value))}`,
      );
      const fields = fieldTable(schema);
      return `<p><code>${escaped(type)}</code></p>${isOpen ? fields : ""}${blocks.join("")}${isOpen ? "" : folded("Fields", fields)}`;
    })
    .join("");
}

const CREDENTIALS: Readonly<Record<string, string>> = {
  partnerId: "X-Partner-Id: demo",
  partnerToken: "X-Partner-Token: demotoken",
  operatorToken: "Authorization: Bearer $TOKEN",
};

/** The operation as a command, with what it must have. */
function curlOf({ method, place, operation }: Described): string {
  const { parameters = [], requestBody, security = [] } = operation;
  const path = place.replace(/\{(\w+)\}/g, (_, name: string) =>
    shown(parameters.find((one) => one.in === "path" && one.name === name)?.example ?? name),
  );
  const [type = "", body] = Object.entries(requestBody?.content ?? {})[0] ?? [];
  const headers = [
    ...Object.keys(security[0] ?? {}).map((name) => CREDENTIALS[name] ?? name),
    ...(body === undefined ? [] : [`Content-Type: ${type}`]),
    ...parameters
      .filter((one) => one.in === "header")
      .map(({ name, example }) => `${name}: ${shown(example)}`),
  ];
  const isRead = method === "GET";
  return [
    `curl ${isRead ? "" : `-X ${method} `}"$GATEWAY${path}"`,
    ...headers.map((header) => (header.includes("$") ? `-H "${header}"` : `-H '${header}'`)),
    ...(body === undefined ? [] : [`-d '${JSON.stringify(body.example).replaceAll("'", "'\\''")}'`]),
  ].join(" \\\n  ");
}

function shown(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value, null, 2) ?? "");
}
