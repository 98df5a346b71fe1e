import { setTimeout as sleep } from "node:timers/promises";
import { createCredentials } from "../../src/lib/credentials.ts";
import { newPartner } from "../../src/provision.ts";
import { openStorage, type Storage } from "../../src/storage/open.ts";
import { confirm, PARTNERS, type StagedOrder, stagedOrders } from "./console-orders.ts";
import type { Targets } from "./console-targets.ts";
import { createFakeClock, type FakeClock } from "./fake-clock.ts";
import { startWay, type Way } from "./way.ts";

/** Two hours, so that what waits stands still while it is looked at. */
export const SCHEDULE_SECS = [
  0, 10, 60, 900, 1_800, 2_400, 3_000, 3_600, 4_200, 4_800, 5_400, 6_000, 6_600, 7_000, 7_200,
];
export const HMAC_SECRET = "a key for the console's world, and nothing else";
export const SIGNING_SECRET = "a signing secret for the console's world";

const MINUTE_MS = 60_000;
const LEASE_MS = MINUTE_MS;
/** A poll: what falls due within it is worked together. */
const LOOK_MS = 1_000;
/** What came since then may open a circuit; before, one of ticketing would hold what is to fail for itself. */
const CIRCUITS_MINUTES = 20;

interface Moment {
  readonly minutesAgo: number;
  run(history: History): Promise<void>;
}

export interface HistoryOptions {
  /** `DATABASE_URL` of a database that is migrated and empty. */
  readonly url: string;
  /** One order of each kind, without the many that make a crowd: in a fifth of the time. */
  readonly few?: boolean;
  /** Answers to those few take the time that they seem to have taken: what is measured is what one would expect to see. */
  readonly isUnhurried?: boolean;
}

/**
 * A day and a half of orders in an empty, migrated database: each goes its real way, by real sockets, at a time that is made up
 * and ends now.
 *
 * @returns the orders' ids by their names
 */
export async function stageHistory(
  { url, few = false, isUnhurried = false }: HistoryOptions,
  targets: Targets,
  nowMs: number,
): Promise<Map<string, number>> {
  const ids = new Map<string, number>();
  const clock = createFakeClock(nowMs - 3 * 24 * 60 * MINUTE_MS);
  const unhurried = new Set(
    isUnhurried ? stagedOrders(nowMs, true).map((order) => order.externalOrderId) : [],
  );
  targets.took = async (ms, externalOrderId) => {
    clock.advance(ms);
    if (unhurried.has(externalOrderId)) await sleep(ms);
  };
  const moments = [...arrivals(stagedOrders(nowMs, few)), ...ACTS].toSorted(
    (a, b) => b.minutesAgo - a.minutesAgo,
  );
  const isLast = ({ minutesAgo }: Moment): boolean => minutesAgo <= CIRCUITS_MINUTES;
  for (const [threshold, part] of [
    [0, moments.filter((moment) => !isLast(moment))],
    [20, [...moments.filter(isLast), { minutesAgo: 0, run: async () => {} }]],
  ] as const) {
    const circuit = { threshold, probeMs: 60 * MINUTE_MS };
    const storage = openStorage({ url, poolSize: 4, preparedStatements: true, create: true, circuit });
    await addPartners(storage, clock.nowMs);
    const history = await begin(storage, clock, targets, ids);
    try {
      for (const moment of part) {
        await history.until(Math.round(nowMs - moment.minutesAgo * MINUTE_MS));
        await moment.run(history);
        await history.way.work();
      }
    } finally {
      await history.way.close();
    }
  }
  targets.took = async () => {};
  return ids;
}

/** Those who come at the same time come together. */
function arrivals(orders: readonly StagedOrder[]): Moment[] {
  return [...Map.groupBy(orders, ({ minutesAgo }) => minutesAgo)].map(([minutesAgo, together]) => ({
    minutesAgo,
    async run({ place }) {
      for (const order of together) await place(order);
    },
  }));
}

async function addPartners({ partners }: Storage, nowMs: number): Promise<void> {
  const credentials = createCredentials({ keys: [HMAC_SECRET], development: false });
  const unset = { allowlistCidrs: null, signingSecret: null, callbackHosts: null, rejectRepeats: false };
  const rateLimit = { capacity: 1_000, perSec: 1_000 };
  for (const partner of PARTNERS)
    await partners.add(newPartner({ ...partner, ...unset, rateLimit }, credentials, false), nowMs);
}

interface History {
  readonly way: Way;
  readonly clock: FakeClock;
  readonly targets: Targets;
  place(order: StagedOrder): Promise<void>;
  idOf(name: string): number;
  /** Lets time pass; what falls due meanwhile is worked when it does. */
  until(ms: number): Promise<void>;
}

async function begin(
  storage: Storage,
  clock: FakeClock,
  targets: Targets,
  ids: Map<string, number>,
): Promise<History> {
  const way = await startWay({
    storage,
    clock,
    onUnknown: "hold",
    slots: 150,
    leaseMs: LEASE_MS,
    schedule: { offsetsMs: SCHEDULE_SECS.map((secs) => secs * 1_000), jitterMs: 0 },
    signingSecret: SIGNING_SECRET,
  });
  way.ticketing.answer(targets.ticket);
  return {
    way,
    clock,
    targets,
    idOf: (name) => ids.get(name)!,
    async place({ name, partnerId, externalOrderId, items, buyer, ticketing = [], partner = [] }) {
      targets.script("ticketing", externalOrderId, ...ticketing);
      targets.script("partner", externalOrderId, ...partner);
      const callbackUrl = targets.callbackUrl(partnerId);
      const body = { external_order_id: externalOrderId, callback_url: callbackUrl, items, buyer };
      const result = await way.accept(body, null, partnerId);
      if (result.kind !== "accepted") throw new Error(`${name} is not accepted: ${JSON.stringify(result)}`);
      ids.set(name, result.order.id);
    },
    async until(ms) {
      for (let due = await nextDue(storage); due <= ms; due = await nextDue(storage)) {
        clock.nowMs = Math.max(clock.nowMs, Math.min(due + LOOK_MS, ms));
        // Nothing to work: an open circuit has it, and the next look holds it.
        if ((await way.work()) === 0) await way.engine.tend();
      }
      clock.nowMs = Math.max(clock.nowMs, ms);
      await way.engine.tend();
    },
  };
}

async function nextDue({ database }: Storage): Promise<number> {
  const rows = await Promise.all(
    ["ticketing_jobs", "ota_callback_jobs"].map((jobs) =>
      database.run<{ due: number | null }>(
        `select min(next_attempt_at) as due from ${jobs} where status = 'pending' and held_until is null`,
        [],
      ),
    ),
  );
  return Math.min(...rows.map(([row]) => row?.due ?? Infinity));
}

const by = (actor: string, reason: string) => ({ actor, reason });

/** What people did, and what befell a process. */
const ACTS: readonly Moment[] = [
  {
    minutesAgo: 300,
    run: async ({ way, clock, idOf }) => {
      const act = by("night-shift", "booked by hand in the box office, reference BO-1182");
      await way.storage.operatorActions.close(idOf("closed"), act, clock.nowMs);
    },
  },
  {
    minutesAgo: 240,
    run: async ({ way, clock, idOf }) => {
      const act = by("day-shift", "OTA One lost its inbox this morning and asks for it again");
      await way.storage.operatorActions.resend(idOf("resent"), act, clock.nowMs);
    },
  },
  {
    minutesAgo: 196,
    run: async ({ way, clock, idOf }) => {
      const act = by("day-shift", "the guest chose another day, see EXT-7704");
      await way.storage.operatorActions.cancel(idOf("cancelled"), act, clock.nowMs);
    },
  },
  {
    minutesAgo: 151,
    run: async ({ way, clock, idOf }) => {
      const act = by("day-shift", "ticketing has set up sales channel 9");
      await way.storage.operatorActions.retry(idOf("retried"), act, clock.nowMs);
    },
  },
  { minutesAgo: 130.5, run: ({ way }) => restrictCallbacks(way.storage, ["ota.example.com"]) },
  { minutesAgo: 129.5, run: ({ way }) => restrictCallbacks(way.storage, null) },
  { minutesAgo: 95, run: answerTooLate },
];

async function restrictCallbacks({ database }: Storage, hosts: readonly string[] | null): Promise<void> {
  const text = "update partners set callback_hosts = $1 where partner_id = 'demo'";
  await database.run(text, [hosts === null ? null : JSON.stringify(hosts)]);
}

/** Ticketing answers when the claim has ended: nobody knew, and then somebody does. */
async function answerTooLate({ way, clock, targets, place }: History): Promise<void> {
  const { promise: isAsked, resolve: ask } = Promise.withResolvers<() => void>();
  const late: StagedOrder = {
    name: "late",
    minutesAgo: 95,
    partnerId: "ota-two",
    externalOrderId: "B2C-2026-000904",
    items: [{ sku: "FAMILY-4", qty: 1, unit_price_minor: 11_900, currency: "EUR" }],
    buyer: { name: "Sam" },
    ticketing: [(response, request) => ask(() => confirm(response, request))],
  };
  await place(late);
  await way.engine.workers.ticketing.takeDue();
  const answer = await isAsked;
  clock.advance(LEASE_MS + 1_000);
  await way.engine.tend();
  clock.advance(20_000);
  answer();
  await way.engine.workers.ticketing.idle();
  targets.script("ticketing", late.externalOrderId);
}
