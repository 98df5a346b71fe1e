import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { orderStory } from "../../src/commands/order-story.ts";
import { freshStorage, onEachDatabase } from "../support/databases.ts";
import { createFakeClock, type FakeClock } from "../support/fake-clock.ts";
import { json } from "../support/recorder.ts";
import { startWay, type Way } from "../support/way.ts";

onEachDatabase("five broken orders, each explained by its story alone", (kind) => {
  let clock: FakeClock;
  let way: Way;
  beforeEach(async () => {
    clock = createFakeClock();
    way = await startWay({ storage: await freshStorage(kind), clock, slots: 50, onUnknown: "hold" });
  });
  afterEach(() => way.close());

  /** As `order show` prints it; in the test's output for whoever wants to read it as a stranger would. */
  async function show(id: number): Promise<string> {
    const story = await way.story(id);
    const text = orderStory(story, {
      ...(await way.storage.orders.circumstances(story.order.partner_id)),
      nowMs: clock.wallMs(),
      attemptsPerRun: 15,
      others: [],
      command: "wavegate",
    });
    // oxlint-disable-next-line no-console
    console.log(`${text}\n`);
    return text;
  }

  test("refused by ticketing", async () => {
    way.ticketing.answer(json(422, { message: "SKU ADULT-DAY is not on sale" }));
    const id = await way.order();
    await way.work();
    const text = await show(id);
    assert.match(
      text,
      /^Order \d+ {2}ticketing_blocked\nTicketing refused the order: ticketing answered 422\.\n/,
    );
    assert.match(text, /\nNext: nothing more happens by itself: see what ticketing answered/);
    assert.match(text, /answer: .*SKU ADULT-DAY is not on sale/);
    assert.match(text, new RegExp(`\n {4}wavegate order retry ${id} --reason`));
  });

  test("given up after a run of 503s", async () => {
    way.ticketing.answer(503);
    const id = await way.order();
    await way.work();
    assert.match(
      await show(id),
      /\nTicketing answered 503\.\nNext: next try at \d\d:\d\d:\d\d UTC, 14 left\.\n/,
    );
    for (let attempt = 2; attempt <= 15; attempt += 1) {
      clock.advance(60_000);
      await way.work();
    }
    const text = await show(id);
    assert.match(text, /\nTicketing was given up: 15 attempts failed; at last ticketing answered 503\.\n/);
    assert.match(text, /\nNext: nothing more happens by itself: when ticketing is well again/);
    assert.match(text, /ticketing 15 +503/);
  });

  test("ticketed, but kept from the partner by our own rules", async () => {
    way.ticketing.answer(json(200, { tickets: ["T-1"], reference: "R-1" }));
    const id = await way.order();
    await way.storage.database.run(`update partners set callback_hosts = '["ota.example.com"]'`, []);
    await way.work();
    const text = await show(id);
    assert.match(
      text,
      /\nTicketing has issued 1 ticket \(reference R-1\), but the gateway did not send the callback, by its own rules for addresses: callback_url is not allowed any more: .+\n/,
    );
    assert.match(text, /callback 1 +guard/);
    assert.match(text, /order +ticketed +1 ticket, reference R-1/);
  });

  test("on hold, as nobody knows what ticketing did", async () => {
    way.ticketing.answer((response) => response.socket?.destroy());
    const id = await way.order();
    await way.work();
    const text = await show(id);
    assert.match(
      text,
      /\nNobody knows whether ticketing has issued tickets, as .*: ticketing closed the connection without an answer\.\n/,
    );
    assert.match(
      text,
      /\nNext: nothing more happens by itself: ask ticketing what it knows of trace id [0-9a-f-]{36}, then say so\.\n/,
    );
    assert.match(text, /order resolve \d+ --ticketed --code \.\.\.[^]*order resolve \d+ --not-ticketed/);
  });

  test("held back by a circuit", async () => {
    way.ticketing.answer(503);
    const ids = await Promise.all(Array.from({ length: 20 }, () => way.order()));
    await way.work();
    const id = await way.order();
    await way.engine.tend();
    for (const held of [ids[0]!, id]) {
      const text = await show(held);
      assert.match(
        text,
        /held back, as ticketing has failed for many orders in a row since .* \(ticketing answered 503\)\.\n/,
      );
      assert.match(text, /\nNext: it goes on by itself as soon as ticketing works again/);
      assert.match(text, /ticketing circuit +opened +orders are held back: ticketing answered 503\n/);
    }
  });
});
