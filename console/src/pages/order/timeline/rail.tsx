import type { ComponentType } from "react";
import type { Leg } from "../../../../../src/orders/states.ts";
import { TONE_TEXT, type Tone } from "../../../ui/status.tsx";

/** Which rows each leg's line goes through: from its first to its last. */
export type Reach = Readonly<Record<Leg, readonly [first: number, last: number] | null>>;

export interface Mark {
  readonly tone: Tone;
  /** Left out: a dot. */
  readonly Icon?: ComponentType<{ readonly className?: string }>;
  /** It is still to come. */
  readonly hollow?: boolean;
}

const LANES: readonly { readonly leg: Leg; readonly at: string }[] = [
  { leg: "ticketing", at: "left-2.5" },
  { leg: "callback", at: "left-8" },
];

interface Props {
  readonly row: number;
  readonly reach: Reach;
  readonly lane: Leg;
  readonly mark?: Mark;
}

/** A lane for each leg, ticketing's before the callback's. A picture: what it shows, the words beside it say. */
export function Rail({ row, reach, lane, mark }: Props) {
  return (
    <span aria-hidden="true" className="relative">
      {LANES.map(({ leg, at }) => {
        const [first, last] = reach[leg] ?? [1, 0];
        // The line leaves room for the point.
        const isHere = mark !== undefined && lane === leg;
        return (
          <span key={leg}>
            {row > first && row <= last && (
              <span className={`absolute top-0 w-0.5 bg-line ${at} ${isHere ? "h-1.5" : "h-6.5"}`} />
            )}
            {row >= first && row < last && (
              <span className={`absolute top-6.5 bottom-0 w-0.5 bg-line ${at}`} />
            )}
          </span>
        );
      })}
      {mark && <Point mark={mark} at={LANES.find(({ leg }) => leg === lane)!.at} />}
    </span>
  );
}

function Point({ mark: { tone, Icon, hollow }, at }: { readonly mark: Mark; readonly at: string }) {
  return (
    <span className={`absolute top-2 -ml-[7px] grid size-4 place-items-center ${at} ${TONE_TEXT[tone]}`}>
      {Icon ? (
        <Icon className="size-4" />
      ) : (
        <span
          className={`size-2.5 rounded-full border-2 border-current forced-color-adjust-none ${hollow ? "border-dashed" : "bg-current"}`}
        />
      )}
    </span>
  );
}
