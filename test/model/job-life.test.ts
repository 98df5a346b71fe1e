import { after, before, test } from "node:test";
import * as fc from "fast-check";
import { openStorage, type Storage } from "../../src/storage/open.ts";
import { onEachDatabase, SQLITE } from "../support/databases.ts";
import { createFakeClock } from "../support/fake-clock.ts";
import { LIFE } from "./commands.ts";
import { Model, SETTINGS } from "./model.ts";
import { World } from "./world.ts";

const COMMANDS = 60;
const TIME_LIMIT_MS = 6_000;

// Any order of events, on the real storage: the model says what must come of it. A failure prints its seed and path, and the
// shortest story that fast-check could find; MODEL_SEED, MODEL_PATH and MODEL_REPLAY run it again.
onEachDatabase("the life of jobs", (kind) => {
  let storage: Storage;
  before(async () => {
    const circuit = { threshold: SETTINGS.threshold, probeMs: SETTINGS.probeMs };
    const url = await kind.migratedUrl();
    storage = openStorage({ url, poolSize: 10, preparedStatements: true, create: true, circuit });
  });
  after(() => storage.close());

  test("whatever happens in whatever order, the database is where the model is", async () => {
    const { MODEL_SEED: seed, MODEL_PATH: path, MODEL_REPLAY: replayPath } = process.env;
    const replay = replayPath === undefined ? {} : { replayPath };
    const stories = fc.commands([LIFE], { maxCommands: COMMANDS, size: "max", ...replay });
    await fc.assert(
      fc.asyncProperty(fc.boolean(), stories, async (hold, commands) => {
        await fc.asyncModelRun(async () => {
          const world = new World(storage, createFakeClock(), hold);
          await world.reset();
          return { model: new Model(hold), real: world };
        }, commands);
      }),
      {
        numRuns: kind === SQLITE ? 600 : 180,
        interruptAfterTimeLimit: TIME_LIMIT_MS,
        ...(seed === undefined ? {} : { seed: Number(seed) }),
        ...(path === undefined ? {} : { path }),
      },
    );
  });
});
