import { existsSync } from "node:fs";
import { type Config, loadConfig } from "../../config.ts";
import { openStorage, type Storage } from "../../storage/open.ts";
import { schemaState } from "../../storage/schema.ts";
import { parseDatabaseUrl } from "../../storage/target.ts";
import { Failure, reasonOf } from "./failure.ts";
import { invocation } from "./invocation.ts";

/** The configuration of the shell that the command runs in. @throws ConfigError */
export function configHere(dev = false): Config {
  return loadConfig({ dev, env: process.env, directory: process.cwd() });
}

/** The database's place, without what is secret. */
export function placeOf(databaseUrl: string): string {
  return parseDatabaseUrl(databaseUrl).place;
}

/**
 * Opens the database that DATABASE_URL names, beside whoever serves it; closed when the work is done.
 * @throws {@link Failure} for a database that isn't there or isn't of this release
 */
export async function withStorage<T>(config: Config, work: (storage: Storage) => Promise<T>): Promise<T> {
  return withAnySchema(config, { create: false }, async (storage) => {
    await requireSchema(storage, config.databaseUrl);
    return work(storage);
  });
}

/** The same, whatever schema it has. */
export async function withAnySchema<T>(
  { databaseUrl, preparedStatements }: Config,
  { create }: { create: boolean },
  work: (storage: Storage) => Promise<T>,
): Promise<T> {
  const { place, file } = parseDatabaseUrl(databaseUrl);
  if (!create && file !== null && !existsSync(file)) {
    const advice = `\`${invocation()} serve\` or \`migrate\` makes one; DATABASE_URL says where it is`;
    throw new Failure("failed", `there is no database at ${place}`, { advice });
  }
  let storage: Storage;
  try {
    storage = openStorage({ url: databaseUrl, poolSize: 2, preparedStatements, create });
  } catch (error) {
    throw unusable(databaseUrl, error);
  }
  try {
    return await work(storage);
  } finally {
    await storage.close();
  }
}

async function requireSchema({ database }: Storage, databaseUrl: string): Promise<void> {
  const place = placeOf(databaseUrl);
  const { empty, pending } = await readSchema(database, databaseUrl);
  if (pending.length === 0) return;
  const advice = `run \`${invocation()} migrate\``;
  if (empty) throw new Failure("failed", `the database ${place} has no tables yet`, { advice });
  throw new Failure(
    "failed",
    `the database ${place} is of an older release: it lacks ${pending.join(", ")}`,
    {
      advice,
    },
  );
}

/** The first word with the database. @throws {@link Failure} when there is no answer */
export async function readSchema(database: Storage["database"], databaseUrl: string) {
  try {
    return await schemaState(database);
  } catch (error) {
    throw unusable(databaseUrl, error);
  }
}

function unusable(databaseUrl: string, error: unknown): Failure {
  const { place, file } = parseDatabaseUrl(databaseUrl);
  const advice =
    file === null
      ? "check DATABASE_URL, and that the database is up"
      : "check DATABASE_URL, and that this user may write the file and its directory";
  return new Failure("failed", `the database ${place} can't be used: ${reasonOf(error)}`, {
    advice,
    cause: error,
  });
}
