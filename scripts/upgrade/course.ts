import { setTimeout as sleep } from "node:timers/promises";
import type { Gateways } from "../../chaos/gateways.ts";
import type { DatabaseKind } from "../../chaos/plan.ts";
import type { Course } from "../../chaos/trial.ts";
import { migrateBy, type Release } from "./release.ts";

/** What was done, in milliseconds from the first order. */
export interface StepDone {
  readonly atMs: number;
  readonly tookMs: number;
  readonly what: string;
}

export interface UpgradeCourse extends Course {
  readonly steps: readonly StepDone[];
  /** The first order, in epoch milliseconds. */
  startedAt(): number;
}

export interface UpgradeOptions {
  readonly before: Release;
  readonly after: Release;
  /** Where commands run: no `.env` there. */
  readonly directory: string;
  /** What several processes can share is upgraded one by one; else there is one, which is stopped and started. */
  readonly kind: DatabaseKind;
}

/** When each step is due, as a share of the time in which orders are sent. */
type Plan = readonly (readonly [share: number, what: string, act: () => Promise<string | void>])[];

/** Upgrades and goes back again: docs/operations.md, "Upgrade". */
export function createUpgradeCourse({ before, after, directory, kind }: UpgradeOptions): UpgradeCourse {
  const steps: StepDone[] = [];
  /** What each gateway is started from next. */
  const releases: Release[] = [];
  let environment: Readonly<Record<string, string>> = {};
  let startedAt = 0;

  async function start(gateways: Gateways, gateway: number, release: Release): Promise<void> {
    releases[gateway] = release;
    await gateways.start(gateway);
  }
  const migrate = async (release: Release): Promise<string> =>
    (await migrateBy(release, environment, directory)).join(", ") || "nothing to do";

  const oneByOne = (gateways: Gateways): Plan => [
    [0.15, "migrate by the new release", () => migrate(after)],
    [0.25, "start a new gateway", () => start(gateways, 2, after)],
    [0.3, "start a new gateway", () => start(gateways, 3, after)],
    [0.4, "stop an old gateway", () => gateways.end(0)],
    [0.45, "stop an old gateway", () => gateways.end(1)],
    [0.6, "back: start an old gateway", () => start(gateways, 0, before)],
    [0.65, "back: start an old gateway", () => start(gateways, 1, before)],
    [0.75, "back: stop a new gateway", () => gateways.end(2)],
    [0.8, "back: stop a new gateway", () => gateways.end(3)],
  ];
  const restart = async (gateways: Gateways, release: Release): Promise<void> => {
    await gateways.end(0);
    await start(gateways, 0, release);
  };
  const inPlace = (gateways: Gateways): Plan => [
    [0.33, "stop the old gateway, start the new one", () => restart(gateways, after)],
    [0.66, "back: stop the new gateway, start the old one", () => restart(gateways, before)],
  ];

  return {
    steps,
    startedAt: () => startedAt,
    count: kind === "postgres" ? 4 : 1,
    main: (gateway) => releases[gateway]!.main,
    async begin(gateways, env) {
      environment = env;
      if (kind === "postgres") await migrateBy(before, env, directory);
      await start(gateways, 0, before);
      if (kind === "postgres") await start(gateways, 1, before);
    },
    async run({ gateways, durationMs, signal }) {
      startedAt = Date.now();
      const sinceMs = (): number => Date.now() - startedAt;
      for (const [share, what, act] of kind === "postgres" ? oneByOne(gateways) : inPlace(gateways)) {
        await sleep(Math.max(0, share * durationMs - sinceMs()), undefined, { signal });
        const atMs = sinceMs();
        const more = await act();
        steps.push({ atMs, tookMs: sinceMs() - atMs, what: more ? `${what}: ${more}` : what });
      }
    },
  };
}
