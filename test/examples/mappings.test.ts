import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import { join } from "node:path";
import { afterEach, suite, test } from "node:test";
import { loadMapping } from "../../src/config/mapping-module.ts";
import { freshStorage, SQLITE } from "../support/databases.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import type { Recorded, Reply } from "../support/recorder.ts";
import { startWay, type Way } from "../support/way.ts";

const clock = createFakeClock();
let way: Way;
afterEach(() => way.close());

/** The order's way with an example, before a server that answers like the system it is for. */
async function start(
  example: string,
  answer: (request: Recorded) => readonly [number, unknown],
): Promise<void> {
  const { mapping } = await loadMapping(join(import.meta.dirname, "../../examples/mappings", example));
  way = await startWay({ storage: await freshStorage(SQLITE), clock, mapping });
  way.ticketing.answer((response, request) => send(response, ...answer(request)));
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

/** The system acts, but its answer is lost. */
function losing(answer: (request: Recorded) => unknown): Reply {
  return (response, request) => {
    answer(request);
    response.socket?.destroy();
  };
}

const item = (sku: string, qty: number, more: object = {}) => ({
  sku,
  qty,
  unit_price_minor: 129_900,
  currency: "THB",
  visit_date: "2026-12-24",
  ...more,
});

async function work(id: number) {
  await way.work();
  const { order, ticketing, tickets } = await way.story(id);
  return {
    status: order.pipeline_status,
    reason: order.blocked_reason,
    order,
    tickets,
    ticketing: ticketing!,
  };
}

suite("examples/mappings/octo.ts", () => {
  /** Knows `POST /bookings` of the OCTO core: `uuid` is the idempotency key, and a used one is refused. */
  function octo(status = "CONFIRMED") {
    const bookings = new Set<string>();
    return ({ body, headers }: Recorded): readonly [number, unknown] => {
      const booking = JSON.parse(body) as {
        uuid: string;
        productId: string;
        unitItems: { unitId: string }[];
      };
      assert.equal(headers["octo-capabilities"], "");
      if (bookings.has(booking.uuid)) {
        return [
          400,
          { error: "INVALID_BOOKING_UUID", errorMessage: "The uuid was already used", ...booking },
        ];
      }
      if (booking.productId === "night-safari") {
        return [400, { error: "UNPROCESSABLE_ENTITY", errorMessage: "no availability" }];
      }
      bookings.add(booking.uuid);
      const unitItems = booking.unitItems.map(({ unitId }, index) => ({
        unitId,
        supplierReference: `U-${index}`,
        status,
        ticket: {
          redemptionMethod: "DIGITAL",
          deliveryOptions: [
            { deliveryFormat: "QRCODE", deliveryValue: `QR-${index}` },
            { deliveryFormat: "PDF_URL", deliveryValue: "https://supplier.example/1.pdf" },
          ],
        },
      }));
      return [200, { ...booking, status, supplierReference: "XOPSUT", voucher: null, unitItems }];
    };
  }

  test("a booking: a unit item for each unit, and a ticket of each", async () => {
    await start("octo.ts", octo());
    const id = await way.order({
      items: [item("ADULT-DAY", 2), item("CHILD-DAY", 1)],
      buyer: { name: "Alex" },
    });
    const { status, order, tickets } = await work(id);
    assert.deepEqual([status, order.reference], ["ota_callback_delivered", "XOPSUT"]);
    assert.deepEqual(JSON.parse(way.ticketing.requests[0]!.body), {
      uuid: order.trace_id,
      resellerReference: "EXT-42",
      productId: "day-pass",
      optionId: "DEFAULT",
      availabilityId: "2026-12-24",
      unitItems: [{ unitId: "adult" }, { unitId: "adult" }, { unitId: "child" }],
      contact: { fullName: "Alex" },
    });
    assert.deepEqual(
      tickets,
      ["adult", "adult", "child"].map((unitId, index) => ({
        unitId,
        reference: `U-${index}`,
        format: "QRCODE",
        code: `QR-${index}`,
      })),
    );
  });

  test("a refusal, an unknown SKU, two days: blocked, with the reason", async () => {
    await start("octo.ts", octo());
    const refused = await work(await way.order({ items: [item("ADULT-NIGHT", 1)] }));
    assert.match(refused.reason!, /UNPROCESSABLE_ENTITY: no availability/);
    const unknown = await work(await way.order({ items: [item("DOG-DAY", 1)] }));
    assert.match(unknown.reason!, /the SKU DOG-DAY is not in the catalogue/);
    const days = [item("ADULT-DAY", 1), item("ADULT-DAY", 1, { visit_date: "2026-12-25" })];
    assert.match(
      (await work(await way.order({ items: days }))).reason!,
      /more than one product or visit date/,
    );
    const many = await work(await way.order({ items: [item("ADULT-DAY", 1001)] }));
    assert.match(many.reason!, /too many units/);
    assert.equal(way.ticketing.requests.length, 1);
  });

  test("a booking on hold is no ticket, and a used uuid names the way to the tickets", async () => {
    const system = octo("ON_HOLD");
    await start("octo.ts", system);
    assert.match((await work(await way.order({ items: [item("ADULT-DAY", 1)] }))).reason!, /ON_HOLD/);
    way.ticketing.answer(losing(system), (response, request) => send(response, ...system(request)));
    const id = await way.order({ items: [item("ADULT-DAY", 1)] });
    await work(id);
    clock.advance(10_000);
    const { status, reason } = await work(id);
    assert.equal(status, "ticketing_blocked");
    assert.match(reason!, /a booking with this uuid exists/);
  });
});

suite("examples/mappings/errors-in-200.ts", () => {
  const answer = (data: object) => [200, { responseType: "BookingResponse", data }] as const;
  const failed = (ErrorCode: string) =>
    answer({ RequestStatus: { Status: "ERROR", Error: { ErrorCode, ErrorMessage: "sorry" } } });
  const SUCCESS = { RequestStatus: { Status: "SUCCESS" } };

  /** Books each reference once. The product decides what goes wrong. */
  function supplier() {
    const booked = new Map<string, object>();
    let busy = true;
    return ({ body }: Recorded): readonly [number, unknown] => {
      const { data } = JSON.parse(body);
      const former = booked.get(data.ExternalReference);
      if (former !== undefined) {
        const Error = { ErrorCode: "DUPLICATE_BOOKING", ErrorMessage: "" };
        return answer({ ...former, RequestStatus: { Status: "ERROR", Error } });
      }
      switch (data.SupplierProductCode) {
        case "BUSY":
          if (!busy) break;
          busy = false;
          return failed("SYSTEM_BUSY");
        case "FULL":
          return answer({
            ...SUCCESS,
            TransactionStatus: { Status: "REJECTED", RejectionReason: "BOOKED_OUT" },
          });
        case "LATER":
          return answer({ ...SUCCESS, TransactionStatus: { Status: "PENDING" } });
        case "GONE":
          return failed("INVALID_PRODUCT");
        case "DOWN":
          return [503, { message: "no backend" }];
        case "ODD":
          return [200, "maintenance"];
      }
      const booking = { SupplierConfirmationNumber: "C-7", Barcodes: [`B-${data.TravellerMix.Adult}`] };
      booked.set(data.ExternalReference, booking);
      return answer({ ...SUCCESS, ...booking, TransactionStatus: { Status: "CONFIRMED" } });
    };
  }
  const order = (product: string) => way.order({ items: [item(`ADULT-${product}`, 2)] });

  test("confirmed; busy and then confirmed; booked by an attempt whose answer was lost", async () => {
    const system = supplier();
    await start("errors-in-200.ts", system);
    const done = await work(await order("DAY"));
    assert.deepEqual(
      [done.status, done.order.reference, done.tickets],
      ["ota_callback_delivered", "C-7", ["B-2"]],
    );
    const busy = await order("BUSY");
    assert.equal((await work(busy)).ticketing.job.status, "pending");
    clock.advance(10_000);
    assert.deepEqual((await work(busy)).tickets, ["B-2"]);

    way.ticketing.answer(losing(system), (response, request) => send(response, ...system(request)));
    const lost = await order("DAY");
    await work(lost);
    clock.advance(10_000);
    const found = await work(lost);
    assert.deepEqual([found.order.reference, found.tickets], ["C-7", ["B-2"]]);
    assert.equal(found.ticketing.attempts.at(-1)!.note, "ticketed by an earlier attempt");
  });

  test("what is wrong inside a 200 is wrong", async () => {
    await start("errors-in-200.ts", supplier());
    for (const [product, why] of [
      ["FULL", /blocked: the booking is REJECTED: BOOKED_OUT/],
      ["LATER", /the booking is PENDING/],
      ["GONE", /INVALID_PRODUCT: sorry/],
      ["ODD", /ticketed there, answer unreadable by the mapping/],
    ] as const) {
      const { status, reason } = await work(await order(product));
      assert.equal(status, "ticketing_blocked", product);
      assert.match(reason!, why);
    }
    assert.equal((await work(await order("DOWN"))).ticketing.job.status, "pending");
    const mixed = await way.order({ items: [item("ADULT-DAY", 1), item("ADULT-NIGHT", 1)] });
    assert.match((await work(mixed)).reason!, /none or more than one product/);
  });
});

suite("examples/mappings/decimal-money.ts", () => {
  function sales() {
    const sold = new Map<string, object>();
    return ({ body, headers }: Recorded): readonly [number, unknown] => {
      const { sale_key, total } = JSON.parse(body);
      assert.equal(headers["x-sale-key"], sale_key);
      if (total === "0.00") return [423, {}];
      const former = sold.get(sale_key);
      if (former !== undefined) return [409, former];
      const sale = { sale_no: `S-${sold.size}`, codes: [`C-${total}`] };
      sold.set(sale_key, sale);
      return [201, sale];
    };
  }

  test("prices, amounts and the total are exact decimals of the currency", async () => {
    await start("decimal-money.ts", sales());
    const dear = { unit_price_minor: Number.MAX_SAFE_INTEGER };
    const id = await way.order({ items: [item("A", 10_000, dear), item("B", 1, { unit_price_minor: 5 })] });
    const { tickets, order } = await work(id);
    assert.deepEqual([order.reference, tickets], ["S-0", ["C-900719925474099100.05"]]);
    const { lines, customer } = JSON.parse(way.ticketing.requests[0]!.body);
    assert.deepEqual(customer, { name: "Alex" });
    assert.deepEqual(lines[0], {
      article: "A",
      quantity: 10_000,
      price: "90071992547409.91",
      amount: "900719925474099100.00",
      date: "2026-12-24",
    });
    assert.equal(lines[1].price, "0.05");
    const yen = await work(await way.order({ items: [item("A", 2, { currency: "JPY" })] }));
    assert.deepEqual(yen.tickets, ["C-259800"]);
  });

  test("a 409 after a lost answer brings the first one's tickets; a closed day waits", async () => {
    const system = sales();
    await start("decimal-money.ts", system);
    way.ticketing.answer(losing(system), (response, request) => send(response, ...system(request)));
    const lost = await way.order({ items: [item("A", 1)] });
    await work(lost);
    clock.advance(10_000);
    const { status, order, tickets } = await work(lost);
    assert.deepEqual([status, order.reference, tickets], ["ota_callback_delivered", "S-0", ["C-1299.00"]]);
    const free = await way.order({ items: [item("A", 1, { unit_price_minor: 0 })] });
    const { job } = (await work(free)).ticketing;
    assert.deepEqual([job.status, job.next_attempt_at], ["pending", clock.nowMs + 60_000]);
    const two = [item("A", 1), item("B", 1, { currency: "JPY" })];
    assert.match((await work(await way.order({ items: two }))).reason!, /more than one currency/);
  });
});
