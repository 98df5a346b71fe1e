import * as fc from "fast-check";
import { damaged } from "../openapi/damage.ts";

/** Stands in whatever is secret, and must never come out again. */
export const MARK = "Zaphod";

const BEFORE = ["", "whsec_", "Bearer ", "x", "\n", "é", "\t", "=", "a\n"];
const BEHIND = ["", "", "=", "\n", "\0", " ", "💥", "\nb", "\r\n"];

/** Texts with a secret in them. */
export const secrets = fc
  .tuple(fc.constantFrom(...BEFORE), fc.constantFrom(...BEHIND))
  .map(([before, behind]) => before + MARK + behind);

/** URLs with a secret where a password may stand. */
export const urls = fc
  .tuple(
    fc.constantFrom("postgres", "postgresql", "postgresql+psycopg2", "https", "http", "sqlite", "POSTGRES"),
    fc.constantFrom("u:M@", ":M@", "u:p@M@", "u:M:M@", "u:%4dM@", "u:M%40@", "u: M@", ""),
    fc.constantFrom("h", "h:5432", "[::1]", "", "h:x"),
    fc.constantFrom("", "/", "/d", "/d?password=M", "/d?sslmode=x&password=M", "?password=M", "//d?key=M#x"),
  )
  .map(([scheme, user, host, rest]) => `${scheme}://${user}${host}${rest}`.replaceAll("M", MARK));

const partner = fc.record(
  {
    id: fc.stringMatching(/^[A-Za-z0-9._-]{1,64}$/),
    name: fc.constantFrom("P", "Ünder", "a b"),
    token: fc.constant(`token-${MARK}`),
    allowlist_cidrs: fc.constantFrom(["10.0.0.0/8"], ["::/0", "0.0.0.0/0"], null),
    rate_limit: fc.constantFrom({ capacity: 5, per_sec: 0.5 }, null),
    signing_secret: fc.constantFrom(`secret-${MARK}`, null),
    callback_hosts: fc.constantFrom(["a.example", "*.B.example"], null),
    reject_repeats: fc.boolean(),
  },
  { requiredKeys: ["id", "name", "token"] },
);
const operator = fc.record({
  name: fc.stringMatching(/^[a-z]{1,9}$/),
  token: fc.nat(1_000_000).map((no) => `token-${MARK}-${no}`),
  role: fc.constantFrom("viewer", "operator"),
});

const partners = fc.array(partner, { maxLength: 3 });
const operators = fc.array(operator, { maxLength: 3 });

/** PARTNERS_JSON and OPERATORS_JSON, right and nearly right. */
export const lists = fc
  .oneof(partners, operators, damaged(partners, {}), damaged(operators, {}))
  .map((list) => JSON.stringify(list));
