import { createHash, type KeyObject } from "node:crypto";
import { signingKey } from "./signature.ts";

/** What a peer is told by its environment: the variables of the product, as far as a peer has a use for them. */
export interface Settings {
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly ticketingUrl: URL;
  readonly host: string;
  readonly port: number;
  readonly ticketingConcurrency: number;
  readonly callbackConcurrency: number;
  readonly signingKey: KeyObject | null;
  readonly partnerId: string;
  /** SHA-256 of the partner's token: the token itself is not kept. */
  readonly tokenDigest: Buffer;
  /** Distance of each attempt from the first, in milliseconds. */
  readonly offsetsMs: readonly number[];
  readonly jitterMs: number;
}

const SEED_SCHEDULE_SECS = "0,2,6,12,20,30,45,65,90,120,155,195,235,270,300";

/** @throws Error that names the variable which is missing */
export function readSettings(environment: NodeJS.ProcessEnv = process.env): Settings {
  const required = (name: string): string => {
    const value = environment[name];
    if (value === undefined || value === "") throw new Error(`${name} is not set`);
    return value;
  };
  const number = (name: string, byDefault: number): number => Number(environment[name] ?? byDefault);
  const secret = environment["CALLBACK_SIGNING_SECRET"];
  return {
    databaseUrl: required("DATABASE_URL"),
    redisUrl: environment["REDIS_URL"] ?? "",
    ticketingUrl: new URL(required("TICKETING_URL")),
    host: environment["HOST"] ?? "127.0.0.1",
    port: number("PORT", 8080),
    ticketingConcurrency: number("TICKETING_CONCURRENCY", 10),
    callbackConcurrency: number("CALLBACK_CONCURRENCY", 5),
    signingKey: secret ? signingKey(secret) : null,
    partnerId: required("BENCH_PARTNER"),
    tokenDigest: createHash("sha256").update(required("BENCH_TOKEN")).digest(),
    offsetsMs: (environment["RETRY_SCHEDULE_SECS"] ?? SEED_SCHEDULE_SECS)
      .split(",")
      .map((secs) => Number(secs.trim()) * 1000),
    jitterMs: number("RETRY_JITTER_SECS", 1) * 1000,
  };
}
