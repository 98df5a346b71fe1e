import { isIPv4, isIPv6 } from "node:net";
import { normalAddress, parseCidr } from "../lib/cidr.ts";
import { isTimeZone } from "../lib/zoned-day.ts";
import { signingKey } from "../outbound/signature.ts";
import { parseDatabaseUrl } from "../storage/target.ts";

/** Takes note of a problem: "<variable><path> <problem>", as in `PARTNERS_JSON[2].token must be ...`. */
export type Report = (problem: string, path?: string) => void;

/** Null: refused, and reported. Problems never quote the value, which may be a secret. */
export type Parse<T, Raw = string> = (raw: Raw, report: Report) => T | null;

/** A parser out of a reader that returns null for what is not `expected`. */
export function parser<T, Raw = string>(expected: string, read: (raw: Raw) => T | null): Parse<T, Raw> {
  return (raw, report) => {
    const value = read(raw);
    if (value === null) report(`must be ${expected}`);
    return value;
  };
}

const matching = (expected: string, pattern: RegExp) =>
  parser(expected, (raw: string) => (pattern.test(raw) ? raw : null));

function inRange(value: number, min: number, max: number): number | null {
  return value >= min && value <= max ? value : null;
}

export const timeZone = parser("an IANA time zone, as Asia/Bangkok", (raw: string) =>
  isTimeZone(raw) ? raw : null,
);

export const wholeNumber = (min: number, max: number) =>
  parser(`a whole number from ${min} to ${max}`, (raw) =>
    /^(0|[1-9][0-9]{0,14})$/.test(raw) ? inRange(Number(raw), min, max) : null,
  );

/** Plain decimal notation: no sign, exponent, hex or blanks. */
export const decimalNumber = (min: number, max: number) =>
  parser(`a decimal number from ${min} to ${max}`, (raw) =>
    /^(0|[1-9][0-9]{0,9})(\.[0-9]{1,6})?$/.test(raw) ? inRange(Number(raw), min, max) : null,
  );

/** Decimal seconds with up to three decimals, as whole milliseconds. */
export const seconds = (minSecs: number, maxSecs: number) =>
  parser(`seconds from ${minSecs} to ${maxSecs}, written like 10 or 0.5`, (raw) =>
    /^(0|[1-9][0-9]{0,9})(\.[0-9]{1,3})?$/.test(raw)
      ? inRange(Math.round(Number(raw) * 1000), minSecs * 1000, maxSecs * 1000)
      : null,
  );

export const flag = parser("0, 1, false or true", (raw) =>
  raw === "1" || raw === "true" ? true : raw === "0" || raw === "false" ? false : null,
);

export const oneOf = <T extends string>(...choices: readonly T[]) =>
  parser(`one of ${choices.join(", ")}`, (raw) => choices.find((choice) => choice === raw) ?? null);

/** Comma-separated entries, blanks around them ignored. */
export function listOf<T>(entry: Parse<T>, max = 1000): Parse<readonly T[]> {
  return (raw, report) => {
    const parts = raw.split(",");
    if (parts.length > max) report(`must have at most ${max} entries`);
    const values = parts
      .slice(0, max)
      .map((part, index) => entry(part.trim(), (problem) => report(problem, ` entry ${index + 1}`)));
    return values.includes(null) || parts.length > max ? null : (values as T[]);
  };
}

const offsets = listOf(seconds(0, 2_592_000), 100);

/** When the attempts of a run are due, as offsets from its first, which is due at once whatever its value. */
export const schedule: Parse<readonly number[]> = (raw, report) => {
  const values = offsets(raw, report);
  if (values === null || values.every((value, index) => value >= (values[index - 1] ?? 0))) return values;
  report("must not decrease from one entry to the next");
  return null;
};

export const cidr = parser("a CIDR like 10.0.0.0/8 or fd00::/8", (raw) => (parseCidr(raw) ? raw : null));

const HOST_NAME = /^(\*\.)?((?!-)[a-z0-9-]{1,63}(?<!-)\.)*(?!-)[a-z0-9-]{1,63}(?<!-)$/;

/**
 * A name or `*.name` in lower case, or an address in its normal spelling without brackets: as callbacks are
 * matched.
 */
export const hostPattern = parser(
  "a host name, *.name or an address, without scheme, port or path",
  (raw) => {
    const host = raw.toLowerCase();
    return (
      normalAddress(host.replace(/^\[(.*)\]$/, "$1")) ??
      (host.length <= 253 && HOST_NAME.test(host) && !/^[0-9.]+$/.test(host) ? host : null)
    );
  },
);

const portList = listOf(wholeNumber(1, 65_535));

/**
 * Ports, or `*` for any port. The star is beside SPEC: development and demo need it, as their ports are
 * ephemeral.
 */
export const ports: Parse<readonly number[] | "any"> = (raw, report) =>
  raw === "*" ? "any" : portList(raw, report);

export const listenHost = matching("a host name or an IP address", /^[A-Za-z0-9._:-]{1,253}$/);

/** An address with or without a port, as `dns.Resolver.setServers` takes it. */
export const nameServer = parser("an address like 9.9.9.9, 127.0.0.1:5353 or [::1]:5353", (raw) => {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([0-9.]+))(?::([1-9][0-9]{0,4}))?$/.exec(raw) ?? [];
  const isAddress = bracketed === undefined ? isIPv4(plain ?? "") : isIPv6(bracketed);
  return isIPv6(raw) || (isAddress && Number(port ?? 53) <= 65_535) ? raw : null;
});

const urlLike = (expected: string, pattern: RegExp) =>
  parser(expected, (raw) => (pattern.test(raw) && URL.canParse(raw) ? new URL(raw).href : null));

export const httpUrl = urlLike(
  "an http or https URL without credentials (those go into TICKETING_AUTHORIZATION) and without a fragment",
  /^https?:\/\/[^/?#@\\\s]+([/?][^#\s]*)?$/i,
);

/** The path of its signal is added to it. */
export const otlpEndpoint = urlLike(
  "an http or https URL without credentials (those go into OTEL_EXPORTER_OTLP_HEADERS), query and fragment",
  /^https?:\/\/[^/?#@\\\s]+(\/[^?#\s]*)?$/i,
);

export const databaseUrl: Parse<string> = (raw, report) => {
  try {
    parseDatabaseUrl(raw);
    return raw;
  } catch (error) {
    report(`can't be used: ${(error as Error).message}`);
    return null;
  }
};

/** What may stand in a header: anything else could start another one. */
export const headerValue = matching(
  "1 to 8192 visible ASCII characters, with blanks only in between",
  /^(?! )[\x20-\x7e]{1,8192}(?<! )$/,
);

export const filePath = matching(
  "a path of 1 to 4096 characters without control characters",
  /^\P{Cc}{1,4096}$/u,
);

const secret = matching("1 to 1024 characters without control characters", /^\P{Cc}{1,1024}$/u);

const MAX_KEYS = 10;

/** One key a line, as in a file of secrets: a key may hold commas and blanks. The newest stands first. */
export const keyring: Parse<readonly string[]> = (raw, report) => {
  const keys = raw.split(/\r?\n/).filter((line) => line !== "");
  if (keys.length === 0 || keys.length > MAX_KEYS) report(`must hold 1 to ${MAX_KEYS} keys, one a line`);
  if (new Set(keys).size < keys.length) report("must not hold a key twice");
  return keys.flatMap((key) => secret(key, report) ?? []);
};

/** The variables name no least length; what a command brings may need more than a byte. */
export const signingSecret = (minBytes: number): Parse<string> =>
  parser(
    `${minBytes} to 1024 bytes of text without control characters, or whsec_ and that many in base64`,
    (raw) => {
      try {
        const { length } = signingKey(raw);
        return length >= minBytes && length <= 1024 && !/\p{Cc}/u.test(raw) ? raw : null;
      } catch {
        return null;
      }
    },
  );
