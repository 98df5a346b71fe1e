import { ERRORS } from "./api/attempt-errors.ts";
import { type Query, queryString } from "./api/client.ts";
import { ORDER_STATUSES, type OrderStatus } from "../../src/orders/states.ts";

/** What a page's address may say, as texts; what stands there more than once, as a list. */
export type RawSearch = Readonly<Record<string, string | readonly string[]>>;

/** `?status=a&status=b&q=EXT-42`: the very query that the API takes. */
export function parseSearch(text: string): RawSearch {
  const found: Record<string, string | string[]> = {};
  for (const [name, value] of new URLSearchParams(text)) {
    const before = found[name];
    found[name] = before === undefined ? value : [before, value].flat();
  }
  return found;
}

export function stringifySearch(search: object): string {
  const text = queryString(search as Query);
  return text === "" ? "" : `?${text}`;
}

/** Which orders are listed: the filters of `GET /admin/orders`, in the address of the page. */
export interface OrderFilter {
  readonly q?: string;
  readonly status?: readonly OrderStatus[];
  readonly partner?: string;
  readonly created_from?: string;
  readonly created_before?: string;
  readonly visit_from?: string;
  readonly visit_to?: string;
  readonly code?: string;
  readonly error?: string;
  readonly past_due?: "true";
  readonly error_group?: string;
}

export interface OrdersSearch extends OrderFilter {
  /** All orders; without it, and without any filter, those that need attention. */
  readonly view?: "all";
}

/** Of every page: the bulk job whose progress lies open above it. */
export interface BulkSearch {
  readonly bulk?: number;
}

export function readBulkSearch(raw: Record<string, unknown>): BulkSearch {
  const bulk = Number(raw["bulk"] ?? Number.NaN);
  return Number.isSafeInteger(bulk) && bulk > 0 ? { bulk } : {};
}

const TEXTS = [
  "q",
  "partner",
  "created_from",
  "created_before",
  "visit_from",
  "visit_to",
  "code",
  "error_group",
] as const;

/** Reads the address of the list of orders. What it doesn't know is left out: an old or mistyped link still opens. */
export function readOrdersSearch(raw: Record<string, unknown>): OrdersSearch {
  const one = (name: string): string => {
    const [first] = [raw[name]].flat();
    return typeof first === "string" ? first.trim() : "";
  };
  const texts = TEXTS.flatMap((name) => (one(name) === "" ? [] : [[name, one(name)]]));
  const status = [raw["status"] ?? []].flat().filter((each) => ORDER_STATUSES.includes(each as OrderStatus));
  return {
    ...Object.fromEntries(texts),
    ...(status.length > 0 && { status: status as OrderStatus[] }),
    ...(ERRORS.includes(one("error")) && { error: one("error") }),
    ...(one("past_due") === "true" && { past_due: "true" as const }),
    ...(one("view") === "all" && { view: "all" as const }),
  };
}
