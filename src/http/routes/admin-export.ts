import { Readable } from "node:stream";
import type { FastifyInstance, FastifyRequest } from "fastify";
import { type TSchema, Type } from "typebox";
import { EXPORT_MEDIA_TYPES, exportText } from "../../orders/order-export.ts";
import type { OrderFilter } from "../../orders/order-filter.ts";
import { ORDER_FILTER_FIELDS, orderFilterOf } from "../../orders/order-filter-fields.ts";
import { flag, schemasOf } from "../../orders/outward-fields.ts";
import type { Disclosures } from "../../storage/disclosures.ts";
import type { ExportPages } from "../../storage/export-pages.ts";
import { adminSchema } from "../admin-schema.ts";
import { EXAMPLE_ORDER } from "../example-order.ts";
import { always } from "../openapi.ts";
import { operatorOf, requireActing } from "../operator-of.ts";
import { readQuery } from "../order-filter-query.ts";
import { Problem } from "../problem-reply.ts";

export interface AdminExportOptions {
  readonly exportPages: Pick<ExportPages, "pages">;
  readonly disclosures: Disclosures;
}

/** Exports under way in a process; each reads half of the time. */
const MAX_EXPORTS = 2;
const FIELDS = {
  ...ORDER_FILTER_FIELDS,
  codes: flag("true: the tickets' codes too; for operators who may act, and recorded"),
};

/**
 * `GET /admin/export.csv`. Pages are read as the client takes them; one that goes away ends its export, and so does the end of
 * the process, which such an answer could hold up for long.
 */
export function addAdminExportRoute(app: FastifyInstance, options: AdminExportOptions): void {
  const { exportPages, disclosures } = options;
  const running = new Set<Readable>();
  app.addHook("preClose", async () => {
    for (const stream of running) stream.destroy();
  });

  function refuseIfFull(): void {
    if (running.size < MAX_EXPORTS) return;
    const hint = `${MAX_EXPORTS} exports are under way`;
    throw new Problem("unavailable", { hint, headers: { "retry-after": "10" } });
  }

  app.get("/admin/export.csv", { schema: SCHEMA }, async (request, reply) => {
    const values = readQuery(request.query as object, FIELDS);
    const filter = orderFilterOf(values);
    const codes = values.get("codes")?.[0] === true;
    if (codes) requireActing(operatorOf(request));
    void reply
      .header("content-disposition", 'attachment; filename="orders.csv"')
      .type(EXPORT_MEDIA_TYPES.csv);
    // All of it would be read for nothing.
    if (request.method === "HEAD") return reply.send("");
    refuseIfFull();
    if (codes) {
      await record(disclosures, request, filter);
      // Others may have begun meanwhile.
      refuseIfFull();
    }
    const text = Readable.from(exportText("csv", exportPages.pages(filter, codes), codes), {
      highWaterMark: 1,
    });
    running.add(text);
    text.once("close", () => running.delete(text));
    return reply.send(text);
  });
}

async function record({ record }: Disclosures, request: FastifyRequest, filter: OrderFilter): Promise<void> {
  const act = { actor: operatorOf(request).name, reason: "an export with ticket codes", detail: { filter } };
  await record({ partnerId: filter.partnerId ?? "", orderId: null }, "export codes", act, null);
}

const EXAMPLE = `${[
  "order_id,partner_id,external_order_id,reference,trace_id,status,accepted_at,ticketed_at,delivered_at,item,sku,visit_date,visit_time,qty,unit_price_minor,amount_minor,amount,currency,ticket_count",
  `123,demo,EXT-42,TK-9,${EXAMPLE_ORDER.traceId},ota_callback_delivered,2026-08-25T07:09:55.123Z,2026-08-25T07:10:03.200Z,2026-08-25T07:10:03.612Z,1,ADULT-DAY,2026-12-24,09:30,2,129900,259800,2598.00,THB,2`,
].join("\r\n")}\r\n`;
const Csv: TSchema = Type.String({
  description:
    "RFC 4180 in UTF-8, with a first row of names and a row for each item of an order. A text that a spreadsheet would take for a " +
    "formula begins with a '.",
  examples: [EXAMPLE],
});

const SCHEMA = adminSchema({
  operationId: "exportOrders",
  summary: "The orders of a filter as CSV, the oldest first",
  description:
    "All orders that had been accepted when the request came. Buyers' data is never in it. An answer that breaks off is not " +
    "whole: its last chunk is missing.",
  querystring: Type.Object(schemasOf(FIELDS)),
  answers: {
    200: {
      description: "The orders.",
      headers: {
        "Content-Disposition": always(
          Type.Literal('attachment; filename="orders.csv"', { description: "for browsers: save it" }),
        ),
      },
      content: { "text/csv": { schema: Csv } },
    },
  },
  problems: ["invalid-query"],
});
