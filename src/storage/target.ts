/** Where the orders live, and what that means to those who don't care which database it is. */
export interface DatabaseTarget {
  /** For `openStorage` alone. */
  readonly at:
    | { readonly kind: "sqlite"; readonly path: string }
    | { readonly kind: "postgres"; readonly url: string };
  /** OpenTelemetry's name for it (`db.system.name`). */
  readonly system: "sqlite" | "postgresql";
  /** For people, without what is secret. */
  readonly place: string;
  /** False: one process serves it. */
  readonly manyProcesses: boolean;
  /** The file that holds it; null: a server does, or it lives in memory. */
  readonly file: string | null;
  /** True: it ends with its process. */
  readonly inMemory: boolean;
}

/**
 * Reads a `DATABASE_URL` (SPEC section 2), in SQLAlchemy's writing: `sqlite:///relative`, `sqlite:////absolute`,
 * `sqlite::memory:`, `postgres://`, `postgresql://`, `postgresql+psycopg2://`.
 * @throws Error with what is wrong, without the URL, which may hold a password
 */
export function parseDatabaseUrl(url: string): DatabaseTarget {
  if (url === "sqlite::memory:" || url === "sqlite://" || url === "sqlite:///:memory:") {
    return sqlite(":memory:");
  }
  if (url.startsWith("sqlite:///")) {
    const path = url.slice("sqlite:///".length);
    if (path === "") throw new Error("the SQLite URL names no file");
    return sqlite(path);
  }
  const server = /^postgres(?:ql)?(?:\+[a-z0-9]+)?:\/\/(.+)$/.exec(url);
  if (server) {
    const normalized = `postgresql://${server[1]}`;
    if (!URL.canParse(normalized)) throw new Error("the PostgreSQL URL can't be read");
    return postgres(normalized);
  }
  throw new Error(
    "the scheme must be sqlite:///<file>, sqlite::memory:, postgres://, postgresql:// or postgresql+psycopg2://",
  );
}

function sqlite(path: string): DatabaseTarget {
  const inMemory = path === ":memory:";
  return {
    at: { kind: "sqlite", path },
    system: "sqlite",
    place: path,
    manyProcesses: false,
    file: inMemory ? null : path,
    inMemory,
  };
}

function postgres(url: string): DatabaseTarget {
  const { host, pathname } = new URL(url);
  const place = `${decodeURIComponent(pathname.slice(1))} at ${host}`;
  return {
    at: { kind: "postgres", url },
    system: "postgresql",
    place,
    manyProcesses: true,
    file: null,
    inMemory: false,
  };
}
