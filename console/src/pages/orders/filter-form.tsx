import { useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { ERRORS } from "../../search/attempt-errors.ts";
import { partnersQuery } from "../../api/page-queries.ts";
import type { OrderStatus } from "../../api/types.ts";
import { epochOf, wallIn } from "../../format/zoned.ts";
import {
  listedFilter,
  namedFilter,
  type OrderFilter,
  type OrdersSearch,
} from "../../search/orders-search.ts";
import { useSession } from "../../session/session.ts";
import { Button } from "../../ui/button.tsx";
import { Field, Input, Select } from "../../ui/field.tsx";
import { formText } from "../../ui/form-text.ts";
import { STATUS } from "../../ui/status.tsx";

interface Props {
  readonly search: OrdersSearch;
  readonly onClose: () => void;
}

/** Browsers take years of six digits, which nobody means. */
const LAST_DAY = "9999-12-31";

/** Everything that a list of orders can be narrowed by, in native fields. Times are the venue's. */
export function FilterForm({ search, onClose }: Props) {
  const navigate = useNavigate();
  const { time_zone: venue } = useSession();
  const { data: partners } = useInfiniteQuery(partnersQuery);
  const filter = namedFilter(search);
  const wall = (at: string | undefined): string =>
    at === undefined || Number.isNaN(Date.parse(at)) ? "" : wallIn(Date.parse(at), venue);
  return (
    <form
      aria-label="Filters"
      className="grid gap-x-4 gap-y-1 rounded-lg border border-line bg-panel p-4 sm:grid-cols-2 lg:grid-cols-4"
      onSubmit={(event) => {
        event.preventDefault();
        onClose();
        void navigate({ to: "/", search: searchOf(event.currentTarget, filter, venue) });
      }}
    >
      <Field label="Partner">
        {(ids) => (
          <>
            <Input
              {...ids}
              name="partner"
              list="partners"
              maxLength={128}
              defaultValue={filter.partner}
              autoFocus
            />
            <datalist id="partners">
              {partners?.pages.flat().map(({ partner_id: id, name }) => (
                <option key={id} value={id}>
                  {name}
                </option>
              ))}
            </datalist>
          </>
        )}
      </Field>
      <Field label="Last code" hint="The HTTP status of the last attempt">
        {(ids) => <Input {...ids} name="code" type="number" min={100} max={999} defaultValue={filter.code} />}
      </Field>
      <Field label="Last error" hint="Why the last attempt brought no whole answer">
        {(ids) => (
          <Select {...ids} name="error" defaultValue={filter.error ?? ""}>
            <option value="">Any, or none</option>
            {ERRORS.map((each) => (
              <option key={each}>{each}</option>
            ))}
          </Select>
        )}
      </Field>
      <label className="flex min-h-8 items-center gap-2 sm:mt-6">
        <input
          type="checkbox"
          name="past_due"
          value="true"
          defaultChecked={filter.past_due === "true"}
          className="size-4 accent-accent"
        />
        Past due for over a minute
      </label>
      <Field label="Visit from">
        {(ids) => (
          <Input {...ids} name="visit_from" type="date" max={LAST_DAY} defaultValue={filter.visit_from} />
        )}
      </Field>
      <Field label="Visit until">
        {(ids) => (
          <Input {...ids} name="visit_to" type="date" max={LAST_DAY} defaultValue={filter.visit_to} />
        )}
      </Field>
      <Field label="Accepted from" hint={venue}>
        {(ids) => (
          <Input
            {...ids}
            name="created_from"
            type="datetime-local"
            max={`${LAST_DAY}T23:59`}
            defaultValue={wall(filter.created_from)}
          />
        )}
      </Field>
      <Field label="Accepted before" hint={venue}>
        {(ids) => (
          <Input
            {...ids}
            name="created_before"
            type="datetime-local"
            max={`${LAST_DAY}T23:59`}
            defaultValue={wall(filter.created_before)}
          />
        )}
      </Field>
      <StatusBoxes chosen={listedFilter(search).status ?? []} />
      <div className="flex items-end justify-end gap-2 sm:col-span-2 lg:col-span-4">
        <Button onClick={onClose}>Close</Button>
        <Button type="submit" kind="primary">
          Show the orders
        </Button>
      </div>
    </form>
  );
}

function StatusBoxes({ chosen }: { readonly chosen: readonly OrderStatus[] }) {
  return (
    <fieldset className="sm:col-span-2 lg:col-span-4">
      <legend className="text-sm font-medium">Status, any of</legend>
      <div className="mt-1 grid grid-cols-2 gap-x-4 sm:grid-cols-4 lg:grid-cols-6">
        {Object.entries(STATUS).map(([status, { word }]) => (
          <label key={status} className="flex min-h-7 items-center gap-2">
            <input
              type="checkbox"
              name="status"
              value={status}
              defaultChecked={chosen.includes(status as OrderStatus)}
              className="size-4 accent-accent"
            />
            {word}
          </label>
        ))}
      </div>
    </fieldset>
  );
}

/** What the form says; what it doesn't have, as `q`, stays. */
function searchOf(form: HTMLFormElement, before: OrderFilter, venue: string): OrdersSearch {
  const text = <Name extends string>(name: Name): { readonly [Each in Name]?: string } => {
    const value = formText(form, name);
    return (value === "" ? {} : { [name]: value }) as { readonly [Each in Name]?: string };
  };
  const time = <Name extends string>(name: Name): { readonly [Each in Name]?: string } => {
    const { [name]: wall } = text(name);
    return (wall === undefined ? {} : { [name]: new Date(epochOf(wall, venue)).toISOString() }) as {
      readonly [Each in Name]?: string;
    };
  };
  const status = new FormData(form).getAll("status") as OrderStatus[];
  const filter: OrderFilter = {
    ...(before.q !== undefined && { q: before.q }),
    ...(before.error_group !== undefined && { error_group: before.error_group }),
    ...(status.length > 0 && { status }),
    ...text("partner"),
    ...text("code"),
    ...text("error"),
    ...text("visit_from"),
    ...text("visit_to"),
    ...time("created_from"),
    ...time("created_before"),
    ...(formText(form, "past_due") === "true" && { past_due: "true" }),
  };
  return Object.keys(filter).length === 0 ? { view: "all" } : filter;
}
