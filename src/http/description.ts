import Fastify, { type FastifyInstance, type RouteOptions } from "fastify";
import type { ApiDescription } from "./docs-page.ts";
import { SHARED_SCHEMAS, SWAGGER_OPTIONS } from "./openapi.ts";

/** The OpenAPI document of an app's routes. */
export type Describe = () => Promise<ApiDescription>;

/**
 * Notes every route that is added from now on. The document is made of them when it is first asked for, in an app of its own
 * that serves nothing: what makes it takes longer to load than a gateway has to start.
 */
export function describeRoutes(app: FastifyInstance): Describe {
  const noted: Pick<RouteOptions, "method" | "url" | "schema">[] = [];
  app.addHook("onRoute", ({ method, url, schema }) => {
    if (schema && !schema.hide) noted.push({ method, url, schema });
  });
  let made: Promise<ApiDescription> | null = null;

  async function make(): Promise<ApiDescription> {
    const { default: swagger } = await import("@fastify/swagger");
    const describer = Fastify({ exposeHeadRoutes: false });
    for (const schema of SHARED_SCHEMAS) describer.addSchema(schema);
    await describer.register(swagger, SWAGGER_OPTIONS);
    for (const route of noted.filter(({ method }) => method !== "HEAD")) {
      describer.route({ ...route, handler: () => {} });
    }
    await describer.ready();
    return describer.swagger() as unknown as ApiDescription;
  }

  return () => (made ??= make());
}
