/** Where the orders live. */
export type DatabaseTarget =
  | { readonly kind: "sqlite"; readonly path: string }
  | { readonly kind: "postgres"; readonly url: string };

/**
 * Reads a `DATABASE_URL` (SPEC section 2), in SQLAlchemy's writing: `sqlite:///relative`, `sqlite:////absolute`,
 * `sqlite::memory:`, `postgres://`, `postgresql://`, `postgresql+psycopg2://`.
 * @throws Error with what is wrong, without the URL, which may hold a password
 */
export function parseDatabaseUrl(url: string): DatabaseTarget {
  if (url === "sqlite::memory:" || url === "sqlite://" || url === "sqlite:///:memory:") {
    return { kind: "sqlite", path: ":memory:" };
  }
  if (url.startsWith("sqlite:///")) {
    const path = url.slice("sqlite:///".length);
    if (path === "") throw new Error("the SQLite URL names no file");
    return { kind: "sqlite", path };
  }
  const postgres = /^postgres(?:ql)?(?:\+[a-z0-9]+)?:\/\/(.+)$/.exec(url);
  if (postgres) {
    const normalized = `postgresql://${postgres[1]}`;
    if (!URL.canParse(normalized)) throw new Error("the PostgreSQL URL can't be read");
    return { kind: "postgres", url: normalized };
  }
  throw new Error(
    "the scheme must be sqlite:///<file>, sqlite::memory:, postgres://, postgresql:// or postgresql+psycopg2://",
  );
}
