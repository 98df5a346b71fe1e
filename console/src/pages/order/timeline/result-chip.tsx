import type { Moment } from "../../../api/types.ts";
import { TONES } from "../../../ui/status.tsx";
import { toneOfResult } from "./moment-words.ts";

/** What came of an attempt: the code, the word for why none came, or both. */
export function ResultChip({ moment }: { readonly moment: Moment }) {
  const { code, error } = moment;
  return (
    <span
      className={`num shrink-0 rounded px-1.5 py-px font-mono text-xs font-medium whitespace-nowrap ${TONES[toneOfResult(moment)]}`}
    >
      {[code, error].filter((each) => each !== null).join(" ") || "no answer"}
    </span>
  );
}
