import { Link, useNavigate } from "@tanstack/react-router";
import type { ErrorGroup, Leg } from "../../api/types.ts";
import { ERROR_SPANS, type ErrorSpan, type ErrorsSearch } from "../../search/errors-search.ts";
import { Select } from "../../ui/field.tsx";
import { segmentClass, Segments } from "../../ui/segments.tsx";
import { Time } from "../../ui/time.tsx";

const SPAN_WORDS: Record<ErrorSpan, string> = { "1h": "Last hour", "24h": "24 hours", "7d": "7 days" };
const LEG_WORDS: readonly (readonly [Leg | undefined, string])[] = [
  [undefined, "Both legs"],
  ["ticketing", "Ticketing"],
  ["callback", "Callbacks"],
];

interface Props {
  readonly search: ErrorsSearch;
  readonly groups: readonly ErrorGroup[];
}

/** From when on attempts count, of which leg, of which partner: all of it stands in the address. */
export function ErrorFilters({ search, groups }: Props) {
  const { since = "24h", leg, ...others } = search;
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
      <Segments label="Attempts since">
        {ERROR_SPANS.map((span) => (
          <Link
            key={span}
            to="/errors"
            search={{ ...search, since: span }}
            activeOptions={{ exact: true }}
            aria-current={span === since && "true"}
            className={segmentClass(span === since)}
          >
            {SPAN_WORDS[span]}
          </Link>
        ))}
        {!ERROR_SPANS.some((span) => span === since) && (
          <Link
            to="/errors"
            search={search}
            activeOptions={{ exact: true }}
            aria-current="true"
            className={segmentClass(true)}
          >
            <span>
              Since <Time at={new Date(since).toISOString()} />
            </span>
          </Link>
        )}
      </Segments>
      <Segments label="Leg">
        {LEG_WORDS.map(([value, word]) => (
          <Link
            key={word}
            to="/errors"
            search={{ ...others, ...(search.since && { since }), ...(value && { leg: value }) }}
            activeOptions={{ exact: true }}
            aria-current={value === leg && "true"}
            className={segmentClass(value === leg)}
          >
            {word}
          </Link>
        ))}
      </Segments>
      <PartnerFilter search={search} groups={groups} />
    </div>
  );
}

function PartnerFilter({ search, groups }: Props) {
  const navigate = useNavigate();
  const { partner = "", ...others } = search;
  const named = groups.flatMap(({ partners }) => partners);
  const partners = [...new Set(partner === "" ? named : [...named, partner])].toSorted();
  return (
    <Select
      aria-label="Partner"
      value={partner}
      onChange={({ currentTarget: { value } }) =>
        void navigate({ to: "/errors", search: { ...others, ...(value !== "" && { partner: value }) } })
      }
      className="w-auto! max-w-48"
    >
      <option value="">All partners</option>
      {partners.map((id) => (
        <option key={id} value={id}>
          {id}
        </option>
      ))}
    </Select>
  );
}
