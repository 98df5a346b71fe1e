import { createRequire } from "node:module";
import type Pg from "pg";

const require = createRequire(import.meta.url);

/** The driver, loaded where there is a PostgreSQL alone. */
export function pg(): typeof Pg {
  return require("pg") as typeof Pg;
}
