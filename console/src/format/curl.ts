import { shellQuote } from "./shell-quote.ts";

export interface CurlRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Linux takes no argument of 128 KiB or more; what a shell's own `printf` writes has no limit. */
const MAX_ARGUMENT_CHARS = 30_000;

/** A POST as a command line, byte for byte: `--data-raw` reads no file for a leading `@`, `--globoff` expands no brackets. */
export function curlOf({ url, headers, body }: CurlRequest): string {
  const isLong = body.length > MAX_ARGUMENT_CHARS;
  const lines = [
    `curl --globoff --request POST ${shellQuote(url)}`,
    ...Object.entries(headers).map(([name, value]) => `--header ${shellQuote(`${name}: ${value}`)}`),
    isLong ? "--data-binary @-" : `--data-raw ${shellQuote(body)}`,
  ];
  const command = lines.join(" \\\n  ");
  return isLong ? `printf %s ${shellQuote(body)} | ${command}` : command;
}

/** An address without what may be secret in it: its user, and the values of its query. */
export function withoutSecrets(url: string): string {
  if (!URL.canParse(url)) return url;
  const { protocol, host, pathname, username, search } = new URL(url);
  const names = [...new URLSearchParams(search).keys()];
  const query = names.map((name) => `${encodeURIComponent(name)}=<masked>`).join("&");
  return `${protocol}//${username === "" ? "" : "<masked>@"}${host}${pathname}${query === "" ? "" : `?${query}`}`;
}
