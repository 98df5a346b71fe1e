import type { FastifyInstance } from "fastify";
import { jsonResponse, problemResponses } from "../openapi.ts";

/** The description of every route, made once from their schemas. */
export function addOpenApiRoute(app: FastifyInstance): void {
  let text: string | null = null;
  app.get(
    "/openapi.json",
    {
      schema: {
        operationId: "getOpenApi",
        tags: ["service"],
        summary: "This description (OpenAPI 3.1)",
        response: { 200: jsonResponse("The description.", { type: "object" }), ...problemResponses() },
      },
    },
    async (_request, reply) => {
      text ??= JSON.stringify(app.swagger());
      return reply.type("application/json; charset=utf-8").send(text);
    },
  );
}
