import { type PartnerSeed, partners } from "./seeds.ts";

/** A problem with an entry, at a JSON Pointer into it. */
interface EntryProblem {
  readonly pointer: string;
  readonly detail: string;
}

/** Checks one entry by the rules of PARTNERS_JSON. */
export function checkPartnerEntry(
  entry: object,
):
  | { readonly ok: true; readonly seed: PartnerSeed }
  | { readonly ok: false; readonly problems: readonly EntryProblem[] } {
  const problems: EntryProblem[] = [];
  const seeds = partners(JSON.stringify([entry]), (problem, path = "") => {
    const pointer = path
      .replace(/^\[0\]/, "")
      .replaceAll(/\[(\d+)\]/g, "/$1")
      .replaceAll(".", "/");
    problems.push({ pointer, detail: problem });
  });
  const [seed] = seeds ?? [];
  return problems.length > 0 || !seed ? { ok: false, problems } : { ok: true, seed };
}
