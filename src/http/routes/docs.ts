import type { FastifyInstance } from "fastify";
import { Type } from "typebox";
import type { Describe } from "../description.ts";
import { problemResponses } from "../openapi.ts";

/** `GET /docs`: the description of every route, for people. Made when it is first asked for. */
export function addDocsRoute(app: FastifyInstance, describe: Describe): void {
  let made: Promise<{ html: string; policy: string }> | null = null;
  async function make(): Promise<{ html: string; policy: string }> {
    const [{ renderDocs }, { DOCS_POLICY }] = await Promise.all([
      import("../docs-page.ts"),
      import("../docs-html.ts"),
    ]);
    return { html: renderDocs(await describe()), policy: DOCS_POLICY };
  }

  app.get("/docs", { schema: SCHEMA }, async (_request, reply) => {
    made ??= make();
    const { html, policy } = await made;
    return reply
      .headers({ "content-security-policy": policy, "cross-origin-opener-policy": "same-origin" })
      .type("text/html; charset=utf-8")
      .send(html);
  });
}

const SCHEMA = {
  operationId: "getDocs",
  tags: ["service"],
  summary: "This description, as a page to read",
  description: "One page without scripts, which needs nothing from elsewhere and works below any path.",
  response: {
    200: {
      description: "The page.",
      content: { "text/html": { schema: Type.String({ examples: ["<!doctype html>"] }) } },
    },
    ...problemResponses(),
  },
};
