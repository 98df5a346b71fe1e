type QueryValue = string | number | boolean | null | undefined | readonly (string | number)[];
export type Query = Readonly<Record<string, QueryValue>>;

/** The query string of these values: what is null, undefined or empty is left out, lists are repeated. */
export function queryString(query: Query | URLSearchParams): string {
  if (query instanceof URLSearchParams) return query.toString();
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    [value]
      .flat()
      .flatMap((each): [string, string][] =>
        each === null || each === undefined || each === "" ? [] : [[name, String(each)]],
      ),
  );
  return new URLSearchParams(pairs).toString();
}

/** What a page's address may say, as texts; what stands there more than once, as a list. */
export type RawSearch = Readonly<Record<string, string | readonly string[]>>;

/** `?status=a&status=b&q=EXT-42`: the very query that the API takes. */
export function parseSearch(text: string): RawSearch {
  const found: Record<string, string | string[]> = {};
  for (const [name, value] of new URLSearchParams(text)) {
    // What every object has (`__proto__`) is no name that was written into one.
    if (name in Object.prototype) continue;
    const before = found[name];
    found[name] = before === undefined ? value : [before, value].flat();
  }
  return found;
}

export function stringifySearch(search: object): string {
  const text = queryString(search as Query);
  return text === "" ? "" : `?${text}`;
}
