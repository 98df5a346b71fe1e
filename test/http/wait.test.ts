import assert from "node:assert/strict";
import { request } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { DEMO, openDoor, ORDER } from "./door.ts";

test("a client that has gone while its order was taken isn't waited for", async (t) => {
  const taking = Promise.withResolvers<void>();
  const taken = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<AbortSignal>();
  const order = { id: 1, partnerId: "demo", externalOrderId: "EXT-42", traceId: "t", createdAt: 0 };
  const door = await openDoor({
    accept: async () => {
      taking.resolve();
      await taken.promise;
      return { kind: "accepted", order, job: null };
    },
    waits: {
      standing: async (_id, _timeoutMs, gone) => {
        asked.resolve(gone);
        return null;
      },
      close() {},
    },
  });
  t.after(() => door.close());
  await door.app.listen({ port: 0, host: "127.0.0.1" });
  const { port } = door.app.server.address() as AddressInfo;
  const connections = async () =>
    new Promise((resolve) => {
      door.app.server.getConnections((_, count) => resolve(count));
    });
  const headers = { "content-type": "application/json", ...DEMO };
  const client = request({ port, path: "/orders?wait=30", method: "POST", headers, agent: false });
  client.on("error", () => {}).end(JSON.stringify(ORDER));
  await taking.promise;
  client.destroy();
  while ((await connections()) !== 0) await sleep(10);
  taken.resolve();
  assert.equal((await asked.promise).aborted, true);
});
