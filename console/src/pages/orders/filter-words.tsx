import type { ReactNode } from "react";
import type { OrderFilter } from "../../search/orders-search.ts";
import { STATUS } from "../../ui/status.tsx";
import { Time } from "../../ui/time.tsx";

/** What a filter says, in words. */
export const FILTER_WORDS: {
  readonly [Name in keyof OrderFilter]-?: (value: NonNullable<OrderFilter[Name]>) => ReactNode;
} = {
  q: (value) => <>Exactly “{value}”</>,
  status: (value) => value.map((each) => STATUS[each].word).join(", "),
  partner: (value) => `Partner ${value}`,
  visit_from: (value) => `Visit from ${value}`,
  visit_to: (value) => `Visit until ${value}`,
  created_from: (value) => <When word="Accepted from" at={value} />,
  created_before: (value) => <When word="Accepted before" at={value} />,
  code: (value) => `Last code ${value}`,
  error: (value) => `Last error ${value}`,
  past_due: () => "Past due",
  error_group: (value) => `Error group ${value}`,
};

/** A day begins in UTC, as the API has it; what is no time at all is shown as it came. */
function When({ word, at }: { readonly word: string; readonly at: string }) {
  return (
    <>
      {word} {Number.isNaN(Date.parse(at)) ? at : <Time at={at} />}
    </>
  );
}
