import { ORDER_STATUSES, type OrderStatus } from "../../../src/orders/states.ts";
import { ERRORS } from "./attempt-errors.ts";
import { ATTENTION } from "./status-sets.ts";

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
  readonly bulk?: number | undefined;
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

/** The filters that an address names, without what else it says. */
export function namedFilter(search: OrdersSearch): OrderFilter {
  const { status, error, past_due } = search;
  const texts = TEXTS.flatMap((name) => (search[name] === undefined ? [] : [[name, search[name]]]));
  return {
    ...Object.fromEntries(texts),
    ...(status && { status }),
    ...(error !== undefined && { error }),
    ...(past_due && { past_due }),
  };
}

/** What is shown where the address names no filter, nor asks for all: orders that need attention. */
export const isHome = (search: OrdersSearch): boolean =>
  search.view !== "all" && Object.keys(namedFilter(search)).length === 0;

/** Which orders an address lists. */
export const listedFilter = (search: OrdersSearch): OrderFilter =>
  isHome(search) ? { status: ATTENTION } : namedFilter(search);

/** The same filters with other statuses; null: of every status. */
export function withStatuses(search: OrdersSearch, status: readonly OrderStatus[] | null): OrdersSearch {
  const { status: _, ...rest } = namedFilter(search);
  if (Object.keys(rest).length > 0) return status === null ? rest : { ...rest, status };
  if (status === null) return { view: "all" };
  return isSame(status, ATTENTION) ? {} : { status };
}

/** The same filters without this one. Without any that is left, all orders. */
export function withoutFilter(search: OrdersSearch, name: keyof OrderFilter): OrdersSearch {
  const { [name]: _, ...rest } = namedFilter(search);
  return Object.keys(rest).length === 0 ? { view: "all" } : rest;
}

/** True: the same statuses, in whatever order. */
export const isSame = (one: readonly OrderStatus[], other: readonly OrderStatus[]): boolean =>
  one.length === other.length && one.every((each) => other.includes(each));
