import type { FastifyInstance } from "fastify";
import { Type } from "typebox";
import { adminSchema } from "../admin-schema.ts";
import type { Authentication } from "../authenticate.ts";
import { createBodyReader } from "../body.ts";
import { requireJson } from "../json-body.ts";
import { always, jsonResponse, problemResponses } from "../openapi.ts";
import { Problem } from "../problem-reply.ts";
import { clearCookie, SECURE_COOKIE } from "../session-cookie.ts";
import { type AboutGateway, SessionView, sessionView } from "../session-view.ts";

export interface AdminSessionOptions extends AboutGateway {
  readonly authenticate: Pick<Authentication, "isAnonymous" | "signedIn" | "signIn" | "signOut">;
}

/** A stranger may send it: there is nothing but a token in it. */
const MAX_BODY_BYTES = 4096;
const SIGN_IN_BODY = `an object with a token, in ${MAX_BODY_BYTES} bytes at most`;
const SignInBody = Type.Object(
  {
    token: Type.String({
      pattern: "^[\\x21-\\x7e]{1,256}$",
      description: "an operator's token: 1 to 256 visible ASCII characters",
      examples: ["wgo_4Jc3kq0b9yqXl2v8mZtR1nHs7eDfGuWaPoIyKxVbC5M"],
    }),
  },
  { additionalProperties: false, description: SIGN_IN_BODY },
);
const readSignIn = createBodyReader(SignInBody);

/** `/admin/session`: operators sign in with a browser, see who they are, and sign out. */
export function addAdminSessionRoutes(app: FastifyInstance, options: AdminSessionOptions): void {
  const { authenticate } = options;

  app.route({
    method: "POST",
    url: "/admin/session",
    schema: SIGN_IN,
    bodyLimit: MAX_BODY_BYTES,
    errorHandler(error) {
      const isLong = (error as { code?: string }).code === "FST_ERR_CTP_BODY_TOO_LARGE";
      const detail = `must be ${SIGN_IN_BODY}`;
      throw isLong ? new Problem("invalid-body", { errors: [{ pointer: "", detail }] }) : error;
    },
    onRequest: async (request) => requireJson(request),
    async handler(request, reply) {
      const signedIn = await authenticate.signIn(request, readSignIn(request).token);
      return reply.header("set-cookie", signedIn.renewal).send(sessionView(signedIn, options));
    },
  });

  app.get("/admin/session", { schema: WHO }, async (request, reply) => {
    // A page that asks at its start whether somebody is has done nothing wrong.
    if (authenticate.isAnonymous(request)) return reply.code(204).send();
    const signedIn = await authenticate.signedIn(request, "viewer");
    if (signedIn.renewal !== null) void reply.header("set-cookie", signedIn.renewal);
    return reply.send(sessionView(signedIn, options));
  });

  app.delete("/admin/session", { schema: SIGN_OUT }, async (request, reply) => {
    const cookie = await authenticate.signOut(request);
    if (cookie !== null) void reply.header("set-cookie", clearCookie(cookie));
    return reply.code(204).send();
  });
}

const SetCookie = (description: string, value: string) =>
  Type.String({
    description,
    examples: [`${SECURE_COOKIE}=${value}; Path=/; HttpOnly; Secure; SameSite=Strict`],
  });

const SIGN_IN = {
  operationId: "signIn",
  tags: ["admin"],
  summary: "Sign in with a browser",
  description:
    "Begins a session in place of the one that the browser has. It ends when its operator signs out, does nothing for " +
    "`SESSION_IDLE_SECS` or has been signed in for `SESSION_MAX_SECS`, and with the operator's token. Programs need none.",
  consumes: ["application/json"],
  body: SignInBody,
  response: {
    200: jsonResponse("Signed in.", SessionView, {
      "Set-Cookie": always(SetCookie("the session", "<id>.<secret>")),
    }),
    ...problemResponses(
      "invalid-json",
      "invalid-body",
      "unsupported-media-type",
      "invalid-partner",
      "foreign-origin",
      "https-needed",
    ),
  },
};
const WHO = adminSchema({
  operationId: "getSession",
  summary: "Who is signed in",
  description: "By a session or a bearer token; and what a page for people has to know of the gateway.",
  answers: {
    200: jsonResponse("Who it is.", SessionView),
    204: { type: "null", description: "Nobody: the request has neither a token nor a session's cookie." },
  },
});
const SIGN_OUT = adminSchema({
  operationId: "signOut",
  summary: "Sign out",
  description:
    "Ends the session, if it hasn't ended yet. Viewers may, too. With a bearer token there is nothing to end.",
  answers: {
    204: {
      type: "null",
      description: "Signed out.",
      headers: { "Set-Cookie": SetCookie("the cookie is forgotten", "") },
    },
  },
});
