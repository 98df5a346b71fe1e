import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { callRequest, mappingOrder } from "../orders/mapping-calls.ts";
import type { Mapping, MappingOrder } from "../orders/mapping.ts";
import { checkOrderInput } from "../orders/order-input.ts";

/** Why a module is no mapping: in words that name it. */
export class MappingError extends Error {
  override readonly name = "MappingError";
}

/** A mapping that has stood its dry run. */
export interface MappingModule {
  readonly mapping: Mapping;
  /** The order that it was tried on. */
  readonly sample: MappingOrder;
}

const LOAD_TIMEOUT_MS = 10_000;
/** What Node adds to the exports of a CommonJS module. */
const NODES_OWN = new Set(["default", "module.exports", "__esModule"]);

/** Who the sample comes from. */
export const SAMPLE_IDS = {
  traceId: "00000000-0000-7000-8000-000000000000",
  partnerId: "sample-partner",
} as const;

const SAMPLE = {
  external_order_id: "SAMPLE-1",
  callback_url: "https://partner.example.com/callback",
  items: [
    {
      sku: "SAMPLE-SKU",
      qty: 2,
      unit_price_minor: 129_900,
      currency: "THB",
      visit_date: "2030-01-31",
      visit_time: "09:30",
    },
  ],
  buyer: { name: "Sample Buyer", email: "buyer@example.com", phone: "+66 2 000 0000" },
};

/**
 * Loads the module that `TICKETING_MAPPING` names, checks what it exports, and asks it twice for the request of a sample
 * order: a mapping that answers differently the second time would buy twice.
 * @param path relative to the working directory
 * @throws MappingError
 */
export async function loadMapping(path: string): Promise<MappingModule> {
  const refuse = (reason: string): never => {
    throw new MappingError(`TICKETING_MAPPING ${path} can't be used: ${reason}`);
  };
  const file = resolve(path);
  if (!existsSync(file)) return refuse("there is no such file");
  let exported: Record<string, unknown>;
  try {
    // oxlint-disable-next-line import/no-dynamic-require -- which module it is, is the setting
    exported = await inTime(import(pathToFileURL(file).href) as Promise<Record<string, unknown>>);
  } catch (error) {
    return refuse(`it does not load: ${String(error)}`);
  }
  const { request, response, sample: own, ...more } = exported;
  if (typeof request !== "function") return refuse("it exports no function `request`");
  if (response !== undefined && typeof response !== "function") return refuse("`response` is no function");
  // A misspelt `response` would leave every answer to the default rule.
  const unknown = Object.keys(more).filter((name) => !NODES_OWN.has(name));
  if (unknown.length > 0) {
    return refuse(`it exports ${unknown.join(", ")}: only request, response and sample are known`);
  }
  const mapping = { request, ...(response === undefined ? {} : { response }) } as Mapping;
  const sample = sampleOrder(own);
  if (typeof sample === "string") return refuse(sample);
  const whose = own === undefined ? "an invented order (export one of yours as `sample`)" : "its `sample`";
  const [first, second] = [callRequest(mapping, sample), callRequest(mapping, sample)];
  if (!first.ok) return refuse(`the dry run on ${whose} failed: ${first.reason}`);
  if (!isDeepStrictEqual(first, second)) {
    return refuse("the same order gave another request the second time: a repeat would be a new order");
  }
  return { mapping, sample };
}

/** The order of a sample, or what is wrong with it. */
function sampleOrder(own: unknown): MappingOrder | string {
  const given = typeof own === "object" && own !== null ? { ...SAMPLE_URL, ...own } : (own ?? SAMPLE);
  let payload: unknown;
  try {
    // A copy, as the order is frozen: the module may go on using its own.
    payload = JSON.parse(JSON.stringify(given));
  } catch (error) {
    return `\`sample\` is no JSON: ${String(error)}`;
  }
  const checked = checkOrderInput(payload, []);
  if (checked.ok) return mappingOrder(SAMPLE_IDS, checked.order);
  const problems = checked.problems.map(({ pointer, detail }) => `${pointer} ${detail}`);
  return `\`sample\` is no order as partners send it: ${problems.join("; ")}`;
}

const SAMPLE_URL = { callback_url: SAMPLE.callback_url };

async function inTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    const tooLong = new Error(`it takes more than ${LOAD_TIMEOUT_MS / 1000} s`);
    timer = setTimeout(() => reject(tooLong), LOAD_TIMEOUT_MS);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}
