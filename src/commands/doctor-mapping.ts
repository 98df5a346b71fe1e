import type { Config } from "../config.ts";
import { loadMapping } from "../config/mapping-module.ts";
import { type Check, fail, ok } from "./doctor-check.ts";

/** The module is loaded and tried on its sample order, as at start. */
export async function checkMapping({ ticketing }: Config): Promise<Check> {
  const name = "mapping";
  if (ticketing.mapping === null) return ok(name, "none: ticketing gets orders as they came");
  try {
    const { mapping } = await loadMapping(ticketing.mapping);
    const decides = mapping.response ? "maps answers too" : "answers are judged by their status";
    return ok(name, `${ticketing.mapping} maps its sample order; ${decides}`);
  } catch (error) {
    return fail(name, (error as Error).message, "`serve` refuses to start with it: mend the module");
  }
}
