import { type Static, Type } from "typebox";
import packageJson from "../../package.json" with { type: "json" };
import { isoTime } from "../lib/iso-time.ts";
import type { SignedIn } from "./sessions.ts";

const Time = (description: string) =>
  Type.String({ format: "date-time", description, examples: ["2026-08-25T07:39:55.123Z"] });

/** Who is signed in, and what a page for people has to know of the gateway. */
export const SessionView = Type.Object({
  name: Type.String({ description: "the operator's", examples: ["kim"] }),
  role: Type.Enum(["viewer", "operator"], { description: "a viewer looks and doesn't act" }),
  development: Type.Boolean({ description: "true: this is a development server", examples: [false] }),
  time_zone: Type.String({ description: "the venue's (IANA)", examples: ["Asia/Bangkok"] }),
  attempts_per_run: Type.Integer({ minimum: 1, description: "of each leg", examples: [15] }),
  version: Type.String({ description: "of the gateway", examples: ["0.1.0"] }),
  session: Type.Union(
    [
      Type.Object({
        idle_until: Time("when it ends unless its operator does something before"),
        ends_at: Time("when it ends whatever its operator does"),
      }),
      Type.Null(),
    ],
    { description: "null: by a bearer token" },
  ),
});
export type SessionView = Static<typeof SessionView>;

export interface AboutGateway {
  readonly development: boolean;
  readonly venueTimeZone: string;
  readonly attemptsPerRun: number;
}

export function sessionView({ operator, times }: SignedIn, gateway: AboutGateway): SessionView {
  return {
    name: operator.name,
    role: operator.role,
    development: gateway.development,
    time_zone: gateway.venueTimeZone,
    attempts_per_run: gateway.attemptsPerRun,
    version: packageJson.version,
    session: times && { idle_until: isoTime(times.idleUntil), ends_at: isoTime(times.endsAt) },
  };
}
