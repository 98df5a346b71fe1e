// Ticketing and a partner in one process of their own: answers at once, counts what came, by trace id.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const seen = { ticketing: new Map<string, number>(), partner: new Map<string, number>() };

const server = createServer((request, response) => {
  request.resume();
  request.on("end", () => {
    if (request.url === "/ticketing" || request.url === "/partner") {
      const counts = seen[request.url.slice(1) as keyof typeof seen];
      const traceId = String(request.headers["x-trace-id"]);
      counts.set(traceId, (counts.get(traceId) ?? 0) + 1);
      response.end(request.url === "/ticketing" ? '{"reference":"R","tickets":["T-1"]}' : "");
      return;
    }
    const { ticketing, partner } = seen;
    const twice = [...ticketing.values(), ...partner.values()].filter((count) => count > 1).length;
    response.end(JSON.stringify({ ticketing: ticketing.size, partner: partner.size, twice }));
  });
});
server.listen(0, "127.0.0.1", () =>
  process.send?.(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
);
process.on("disconnect", () => process.exit());
