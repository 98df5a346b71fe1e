import type { FastifyInstance } from "fastify";
import type { Describe } from "../description.ts";
import { jsonResponse, problemResponses } from "../openapi.ts";

/** The description of every route, made once from their schemas. */
export function addOpenApiRoute(app: FastifyInstance, describe: Describe): void {
  let text: string | null = null;
  app.get(
    "/openapi.json",
    {
      schema: {
        operationId: "getOpenApi",
        tags: ["service"],
        summary: "This description (OpenAPI 3.1)",
        description: "For programs and generators; `/docs` shows it to people.",
        response: {
          200: jsonResponse("The description.", {
            type: "object",
            examples: [{ openapi: "3.1.0", info: { title: "WaveGate", version: "0.1.0" }, paths: {} }],
          }),
          ...problemResponses(),
        },
      },
    },
    async (_request, reply) => {
      text ??= JSON.stringify(await describe());
      return reply.type("application/json; charset=utf-8").send(text);
    },
  );
}
