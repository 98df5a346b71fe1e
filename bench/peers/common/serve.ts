import type { FastifyInstance } from "fastify";
import type { Settings } from "./settings.ts";

/** Listens, says so in one line, and ends in order on SIGTERM. */
export async function serve(
  app: FastifyInstance,
  settings: Settings,
  shutDown: () => Promise<void>,
): Promise<void> {
  const url = await app.listen({ host: settings.host, port: settings.port });
  console.log(JSON.stringify({ event: "gateway.started", url }));
  const stop = async (): Promise<void> => {
    await app.close();
    await shutDown();
    process.exit(0);
  };
  process.once("SIGTERM", () => void stop());
  process.once("SIGINT", () => void stop());
}
