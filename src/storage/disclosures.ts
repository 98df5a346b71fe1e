import type { Database } from "./database.ts";
import { type Act, createRecordAct, type Subject } from "./operator-record.ts";

/** What is shown to operators beyond what all of them see: written down before it is shown. */
export interface Disclosures {
  record(subject: Subject, action: string, act: Act, now: number | null): Promise<void>;
}

export function createDisclosures({ transact, words }: Database): Disclosures {
  const recordAct = createRecordAct(words);
  return { record: (...disclosure) => transact((tx) => recordAct(tx, ...disclosure)) };
}
