import type { ErrorGroup } from "../../api/types.ts";
import type { OrderFilter } from "../../search/orders-search.ts";

/** The orders of a group, which is a filter. @param partner the only one whose are meant */
export const ordersOfGroup = ({ fingerprint }: ErrorGroup, partner: string | undefined): OrderFilter => ({
  error_group: fingerprint,
  ...(partner !== undefined && { partner }),
});
