// Known to the load and to every contender.
export const SIGNING_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
export const TOKEN = "bench-token";
/** Beside the partner `bench` that the load speaks for. */
export const OTHER_PARTNER = "other";
