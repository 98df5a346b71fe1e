import { Link } from "@tanstack/react-router";
import { type KeyboardEvent, useRef, useState } from "react";
import type { OrdersSearch } from "../search/orders-search.ts";
import { TONE_TEXT, type Tone } from "./status.tsx";

export interface SparkBar {
  readonly key: string;
  readonly value: number;
  /** What its link is called: `14:00, 1,204 accepted`. */
  readonly name: string;
  /** The orders that it opens. */
  readonly search: OrdersSearch;
  /** True: its time is not over, and the bar may grow. */
  readonly isOpen: boolean;
}

interface Props {
  /** What the bars are of. */
  readonly label: string;
  readonly bars: readonly SparkBar[];
  readonly tone: Tone;
  /** What a bar of full height stands for, at least the largest: charts that are compared share it. */
  readonly most: number;
  /** Called with the place of the bar that somebody points at or is focused on, and with null. */
  readonly onPoint: (place: number | null) => void;
}

const WIDTH = 10;
const HEIGHT = 100;
/** Of what is not nothing. */
const LEAST_HEIGHT = 4;

/**
 * Bars without axes, each a link. One stop for the keyboard, on which arrows go from bar to bar. Too narrow for fingers, which get
 * through: whoever shows it gives them another way.
 */
export function Spark({ label, bars, tone, most, onPoint }: Props) {
  const svg = useRef<SVGSVGElement>(null);
  const [stop, setStop] = useState(bars.length - 1);
  const last = bars.length - 1;
  const onKeyDown = (event: KeyboardEvent): void => {
    const to = { ArrowLeft: stop - 1, ArrowRight: stop + 1, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    svg.current?.querySelectorAll("a")[Math.min(last, Math.max(0, to))]?.focus();
  };
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions -- it hears the keys of the links in it
    <svg
      ref={svg}
      role="group"
      aria-label={`${label}. Arrow keys go from bar to bar`}
      viewBox={`0 0 ${bars.length * WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      onKeyDown={onKeyDown}
      onPointerLeave={() => onPoint(null)}
      className={`block h-14 w-full overflow-visible max-sm:pointer-events-none pointer-coarse:pointer-events-none ${TONE_TEXT[tone]}`}
    >
      {bars.map(({ key, name, value, search, isOpen }, place) => {
        const height = value === 0 ? 0 : Math.max(LEAST_HEIGHT, (value / most) * HEIGHT);
        return (
          <Link
            key={key}
            to="/"
            search={search}
            preload={false}
            aria-label={name}
            tabIndex={place === Math.min(stop, last) ? 0 : -1}
            onPointerEnter={() => onPoint(place)}
            onFocus={() => {
              setStop(place);
              onPoint(place);
            }}
            onBlur={() => onPoint(null)}
            className="group/bar outline-none"
          >
            <rect
              x={place * WIDTH}
              width={WIDTH}
              height={HEIGHT}
              vectorEffect="non-scaling-stroke"
              className="fill-transparent stroke-transparent stroke-2 group-hover/bar:fill-hover group-focus-visible/bar:fill-hover group-focus-visible/bar:stroke-accent"
            />
            <rect
              x={place * WIDTH + 1}
              width={WIDTH - 2}
              y={HEIGHT - height}
              height={height}
              className={`fill-current ${isOpen ? "opacity-50" : ""}`}
            />
            <rect
              x={place * WIDTH + 1}
              width={WIDTH - 2}
              y={HEIGHT}
              height={2}
              className="fill-line-strong"
            />
          </Link>
        );
      })}
    </svg>
  );
}
