import { createRequire } from "node:module";
import type * as Undici from "undici";

const require = createRequire(import.meta.url);

/** undici, loaded when it is first asked for: a gateway listens before it calls anybody, and a tenth sooner without it. */
export function undici(): typeof Undici {
  return require("undici") as typeof Undici;
}
