import type { Database } from "./database.ts";
import { createOperatorActions, type OperatorActions } from "./operator-actions.ts";

/** The operators' actions as they would go now: each is done, under the locks it takes, and undone. */
export function createActsTried(database: Database): OperatorActions {
  return createOperatorActions({
    ...database,
    async transact(work, options) {
      const undone = new Error("tried, and undone");
      let result: Awaited<ReturnType<typeof work>> | undefined;
      try {
        await database.transact(async (tx) => {
          result = await work(tx);
          throw undone;
        }, options);
      } catch (error) {
        if (error !== undone) throw error;
      }
      return result!;
    },
  });
}
