/** Short times, so that much happens in few seconds. */
export const DEADLINE_MS = 1_000;
export const LEASE_MS = 2_500;
export const DRAIN_MS = 6_000;
const SCHEDULE_SECS = [0, 0.2, 0.5, 1, 1.5, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20];
export const ATTEMPTS_IN_RUN = SCHEDULE_SECS.length;

const APP_HMAC_SECRET = "chaos-app-hmac-secret-0123456789";
export const TICKETING_AUTHORIZATION = "Bearer chaos-ticketing-credential";
export const POSTGRES_PASSWORD = "chaos-postgres-password";
/** Begins every buyer's name. */
export const BUYER = "Chaosbuyer";

export interface ChaosPartner {
  readonly id: string;
  readonly token: string;
  readonly signingSecret: string;
}

export const PARTNERS: readonly ChaosPartner[] = ["north", "south", "west"].map((id) => ({
  id,
  token: `chaos-token-of-${id}`,
  signingSecret: `chaos-signing-secret-of-${id}`,
}));

/** What must not stand in any log. */
export const SECRETS: readonly string[] = [
  APP_HMAC_SECRET,
  TICKETING_AUTHORIZATION,
  POSTGRES_PASSWORD,
  BUYER,
  ...PARTNERS.flatMap(({ token, signingSecret }) => [token, signingSecret]),
];

/** A gateway's environment: production's rules, but callbacks to loopback and short times. */
export function gatewayEnv(databaseUrl: string, ticketingUrl: string): Record<string, string> {
  return {
    DATABASE_URL: databaseUrl,
    TICKETING_URL: ticketingUrl,
    TICKETING_AUTHORIZATION,
    HOST: "127.0.0.1",
    PORT: "0",
    APP_HMAC_SECRET,
    PARTNERS_JSON: JSON.stringify(
      PARTNERS.map(({ id, token, signingSecret }) => ({
        id,
        name: id,
        token,
        signing_secret: signingSecret,
        rate_limit: { capacity: 100_000, per_sec: 100_000 },
      })),
    ),
    REQUIRE_HTTPS_CALLBACKS: "0",
    ALLOWED_CALLBACK_CIDRS: "127.0.0.0/8",
    ALLOWED_CALLBACK_PORTS: "*",
    TICKETING_TIMEOUT_SECS: String(DEADLINE_MS / 1000),
    CALLBACK_TIMEOUT_SECS: String(DEADLINE_MS / 1000),
    LEASE_SECS: String(LEASE_MS / 1000),
    DRAIN_SECS: String(DRAIN_MS / 1000),
    POLL_SECS: "0.1",
    RETRY_SCHEDULE_SECS: SCHEDULE_SECS.join(","),
    RETRY_JITTER_SECS: "0.1",
  };
}
