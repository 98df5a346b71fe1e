import type { BusyPartner } from "../storage/jobs.ts";

type Counted = { readonly partnerId: string; readonly isRetry: boolean };

/** A look at the queue: what it may take, while slots are also given to jobs that are just being written. */
export interface Look {
  /** Jobs at most, of all partners, and of one that `busy` doesn't name. */
  readonly limit: number;
  readonly slotsPerPartner: number;
  readonly busy: readonly BusyPartner[];
  /**
   * The look has ended. Null: it failed.
   * @returns `sawAll`: nothing was left behind; `again`: what was left behind has slots
   */
  end(jobs: readonly Counted[] | null): { sawAll: boolean; again: boolean };
}

/** Slots taken by partner, and who may be waiting for one: what shares the slots fairly. */
export interface InFlight {
  begin(job: Counted): void;
  end(job: Counted): void;
  /** Takes a slot for a partner's next job, if one is free and nothing waits for it. @returns false if not */
  reserve(partnerId: string): boolean;
  total(): number;
  /** @param alone nobody reserves slots */
  look(alone: boolean): Look;
  /** Whether a slot that a partner gives up may be waited for. */
  mayWait(partnerId: string): boolean;
}

export function createInFlight(slots: number, slotsPerPartner: number): InFlight {
  const partners = new Map<string, { firstAttempts: number; retries: number }>();
  let total = 0;
  /** Jobs of these may wait, or of anybody: a look has left them behind, or they found no slot when they were written. */
  let anyoneWaits = true;
  const waiting = new Set<string>();
  let current: Look | null = null;

  function taken(partnerId: string): number {
    const counts = partners.get(partnerId);
    return counts ? counts.firstAttempts + counts.retries : 0;
  }

  function count({ partnerId, isRetry }: Counted, by: 1 | -1): void {
    const counts = partners.get(partnerId) ?? { firstAttempts: 0, retries: 0 };
    counts[isRetry ? "retries" : "firstAttempts"] += by;
    total += by;
    partners.set(partnerId, counts);
    if (taken(partnerId) === 0) partners.delete(partnerId);
  }

  /** Slots of a partner that the look under way may take. */
  function lookedFor(partnerId: string): number {
    if (current === null) return 0;
    return current.busy.find((busy) => busy.partnerId === partnerId)?.slots ?? current.slotsPerPartner;
  }

  function endLook(
    { limit, busy }: Look,
    allowed: (partnerId: string) => number,
    jobs: readonly Counted[] | null,
  ): { sawAll: boolean; again: boolean } {
    current = null;
    anyoneWaits = jobs === null || jobs.length >= limit;
    waiting.clear();
    const found = new Map<string, number>();
    for (const { partnerId } of jobs ?? []) found.set(partnerId, (found.get(partnerId) ?? 0) + 1);
    // Also one whose attempts have ended meanwhile: it had no slot that the look could have filled.
    for (const partnerId of new Set([...busy.map((each) => each.partnerId), ...found.keys()])) {
      if ((found.get(partnerId) ?? 0) >= allowed(partnerId)) waiting.add(partnerId);
    }
    const hasSlots = (partnerId: string): boolean => taken(partnerId) < slotsPerPartner;
    return {
      sawAll: !anyoneWaits && waiting.size === 0,
      again: jobs !== null && total < slots && (anyoneWaits || [...waiting].some(hasSlots)),
    };
  }

  return {
    begin: (job) => count(job, 1),
    end: (job) => count(job, -1),
    reserve(partnerId) {
      if (anyoneWaits || waiting.has(partnerId)) return false;
      if (total >= slots) anyoneWaits = true;
      else if (taken(partnerId) >= slotsPerPartner) waiting.add(partnerId);
      const free = Math.min(
        slots - total - (current?.limit ?? 0),
        slotsPerPartner - taken(partnerId) - lookedFor(partnerId),
      );
      if (free <= 0) return false;
      count({ partnerId, isRetry: false }, 1);
      return true;
    },
    total: () => total,
    look(alone) {
      // Half is left to those that are just being written, unless somebody waits.
      const share = (free: number, waits: boolean): number =>
        Math.max(0, alone || waits ? free : Math.ceil(free / 2));
      const busy = [...partners].map(([partnerId, counts]) => ({
        partnerId,
        slots: share(slotsPerPartner - taken(partnerId), anyoneWaits || waiting.has(partnerId)),
        ...counts,
      }));
      const allowed = new Map(busy.map((partner) => [partner.partnerId, partner.slots]));
      const look: Look = {
        limit: share(slots - total, anyoneWaits || waiting.size > 0),
        slotsPerPartner: share(slotsPerPartner, anyoneWaits),
        busy,
        end: (jobs) => endLook(look, (partnerId) => allowed.get(partnerId) ?? look.slotsPerPartner, jobs),
      };
      current = look;
      return look;
    },
    mayWait: (partnerId) => anyoneWaits || waiting.has(partnerId),
  };
}
