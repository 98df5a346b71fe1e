// A contender for the bench's own tests: simple, and with flaws that FLAWS names, for single orders.
import { createServer } from "node:http";
import { DatabaseSync } from "node:sqlite";
import { randomUUID } from "node:crypto";
import { callbackHeaders, signingKey } from "../../src/outbound/signature.ts";

const env = process.env as Record<
  "DATABASE_URL" | "TICKETING_URL" | "CALLBACK_SIGNING_SECRET" | "FLAWS" | "PORT",
  string
>;
const database = new DatabaseSync(env.DATABASE_URL.replace("sqlite:///", ""));
database.exec(
  "pragma journal_mode = wal; create table orders (external_order_id text, pipeline_status text)",
);
const insert = database.prepare("insert into orders values (?, 'accepted')");
const finish = database.prepare(
  "update orders set pipeline_status = 'ota_callback_delivered' where external_order_id = ?",
);
const keys = [signingKey(env.CALLBACK_SIGNING_SECRET)];
const flaws = JSON.parse(env.FLAWS) as Record<string, string>;
const isFlawed = (id: string, flaw: string): boolean => flaws[id] === flaw;

async function forward(id: string, traceId: string, callbackUrl: string): Promise<void> {
  const headers = { "x-trace-id": traceId, "x-external-order-id": id };
  const tell = async (url: string, more: Record<string, string> = {}): Promise<void> => {
    const response = await fetch(url, { method: "POST", headers: { ...headers, ...more }, body: "{}" });
    await response.text();
  };
  if (!isFlawed(id, "skips ticketing")) await tell(env.TICKETING_URL);
  if (isFlawed(id, "tickets twice")) await tell(env.TICKETING_URL);
  const signed = callbackHeaders({ body: "{}", eventId: id, timestampSecs: 0, keys });
  if (isFlawed(id, "drops the callback")) return void finish.run(id);
  await tell(callbackUrl, isFlawed(id, "does not sign") ? {} : signed);
  if (isFlawed(id, "calls back twice")) await tell(callbackUrl, signed);
  if (!isFlawed(id, "forgets the row")) finish.run(id);
}

const server = createServer((request, response) => {
  if (request.url === "/health") return void response.end();
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const order = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, string>;
    const { external_order_id: id = "", callback_url: callbackUrl = "" } = order;
    const traceId = randomUUID();
    insert.run(id);
    response.writeHead(isFlawed(id, "refuses") ? 503 : 201);
    response.end(
      JSON.stringify({ order_id: 1, trace_id: isFlawed(id, "confuses") ? randomUUID() : traceId }),
    );
    void forward(id, traceId, callbackUrl);
  });
});
server.listen(Number(env.PORT), "127.0.0.1", () => console.log(JSON.stringify({ event: "gateway.started" })));
process.on("SIGTERM", () => process.exit());
