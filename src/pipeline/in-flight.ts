import type { BusyPartner } from "../storage/jobs.ts";

/** Attempts in flight by partner: what a claim needs, so that slots are shared fairly. */
export interface InFlight {
  begin(job: { readonly partnerId: string; readonly isRetry: boolean }): void;
  end(job: { readonly partnerId: string; readonly isRetry: boolean }): void;
  /** Partners with attempts in flight, and the slots that are free to them. */
  busy(): BusyPartner[];
  /** True when some partner has no slot free. */
  anyCapped(): boolean;
}

export function createInFlight(slotsPerPartner: number): InFlight {
  const partners = new Map<string, { firstAttempts: number; retries: number }>();
  const total = (counts: { firstAttempts: number; retries: number }): number =>
    counts.firstAttempts + counts.retries;

  function count({ partnerId, isRetry }: { partnerId: string; isRetry: boolean }, by: 1 | -1): void {
    const counts = partners.get(partnerId) ?? { firstAttempts: 0, retries: 0 };
    counts[isRetry ? "retries" : "firstAttempts"] += by;
    if (total(counts) === 0) partners.delete(partnerId);
    else partners.set(partnerId, counts);
  }

  return {
    begin: (job) => count(job, 1),
    end: (job) => count(job, -1),
    busy: () =>
      [...partners].map(([partnerId, counts]) => ({
        partnerId,
        slots: Math.max(0, slotsPerPartner - total(counts)),
        ...counts,
      })),
    anyCapped: () => [...partners.values()].some((counts) => total(counts) >= slotsPerPartner),
  };
}
