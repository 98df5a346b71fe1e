import { Link } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import type { Overview } from "../../api/types.ts";
import { count } from "../../format/words.ts";
import { Figure } from "../../ui/figure.tsx";
import { Panel } from "../../ui/page.tsx";
import { Spark } from "../../ui/spark.tsx";
import { HoursTable } from "./hours-table.tsx";
import { type Series, SERIES, useHourName } from "./hour-series.ts";
import { ordersOfHours } from "../../search/order-lists.ts";

type HoursTold = Overview["hours"];

interface HoursProps {
  readonly hours: HoursTold;
  /** Of what stands still not all was counted. */
  readonly atLeast: boolean;
  readonly aside: ReactNode;
}

/** What came in and went out, hour by hour. Each bar opens its orders, and so does each number of the table. */
export function Hours({ hours, atLeast, aside }: HoursProps) {
  return (
    <Panel title="By the hour" aside={aside}>
      <div className="grid gap-x-6 gap-y-4 px-3 py-3 lg:grid-cols-2">
        {SERIES.map((series) => (
          <HoursOf
            key={series.kind}
            series={series}
            hours={hours}
            atLeast={atLeast && series.kind === "blocked"}
          />
        ))}
      </div>
      <HoursTable hours={hours} />
    </Panel>
  );
}

interface Props {
  readonly series: Series;
  readonly hours: HoursTold;
  readonly atLeast: boolean;
}

/** Each on a scale of its own, whose top it names: a flood in one would flatten the others. */
function HoursOf({ series: { kind, title, word, tone }, hours, atLeast }: Props) {
  const [pointed, setPointed] = useState<number | null>(null);
  const nameOf = useHourName();
  const most = Math.max(...hours.map((hour) => hour[kind]));
  const total = hours.reduce((sum, hour) => sum + hour[kind], 0);
  const startOf = (place: number): number => Date.parse(hours.at(place)!.from);
  const shown = hours.at(pointed ?? -1)!;
  return (
    <div>
      <div className="flex flex-wrap items-baseline justify-between gap-x-3">
        <h3>
          <Link
            to="/"
            search={ordersOfHours(kind, startOf(0), startOf(-1))}
            className="inline-flex min-h-6 items-baseline gap-1.5 underline decoration-transparent hover:decoration-current"
          >
            <span className="text-lg font-semibold">
              <Figure value={total} atLeast={atLeast} />
            </span>{" "}
            {title.toLowerCase()}
          </Link>
        </h3>
        <p className="num text-xs text-ink-2" aria-hidden="true">
          {pointed === null ? "This hour" : nameOf(shown.from)}{" "}
          <strong className="inline-block min-w-8 text-end text-ink">{count(shown[kind])}</strong>
        </p>
      </div>
      <Spark
        label={`${title} by the hour`}
        tone={tone}
        most={Math.max(1, most)}
        onPoint={setPointed}
        bars={hours.map((hour, place) => ({
          key: hour.from,
          value: hour[kind],
          name: `${nameOf(hour.from)}, ${count(hour[kind])} ${word}`,
          search: ordersOfHours(kind, startOf(place), startOf(place)),
          isOpen: place === hours.length - 1,
        }))}
      />
      <p className="num mt-1 flex justify-between text-xs text-ink-3">
        <span>{nameOf(hours[0]!.from)}</span>
        <span>most {count(most)}</span>
      </p>
    </div>
  );
}
