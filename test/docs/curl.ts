/** What a curl command would send. */
export interface Request {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly body: string | null;
}

/** What takes nothing behind it, and changes nothing of the request. */
const FLAGS = new Set(["-i", "-s", "-S", "-sS", "-f", "-fsS", "--fail", "--silent", "--retry-all-errors"]);
const WITH_VALUE = new Set(["-o", "--output", "--retry", "--retry-delay", "--max-time"]);

/** Reads what the documents use of curl's options. @throws Error for any other, which this reader has to be taught */
export function requestOf([, ...words]: readonly string[]): Request {
  const headers = new Headers();
  const urls: string[] = [];
  let method: string | null = null;
  let body: string | null = null;
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at]!;
    const value = (): string => {
      at += 1;
      return words[at] ?? "";
    };
    if (word === "-X") method = value();
    else if (word === "-d") body = value();
    else if (word === "-H") {
      const [, name = "", text = ""] = /^([^:]+): (.*)$/.exec(value()) ?? [];
      headers.append(name, text);
    } else if (WITH_VALUE.has(word)) value();
    else if (!word.startsWith("-")) urls.push(word);
    else if (!FLAGS.has(word)) throw new Error(`the reader of curl commands doesn't know ${word}: teach it`);
  }
  const [url, ...more] = urls;
  if (url === undefined || more.length > 0) throw new Error(`one URL is due: ${words.join(" ")}`);
  return { method: method ?? (body === null ? "GET" : "POST"), url, headers, body };
}
