import { Link } from "@tanstack/react-router";
import { WarningIcon } from "../../ui/icons.tsx";

/** More are named on demand by the list. */
const NAMED = 5;

interface Props {
  readonly ids: readonly number[];
  readonly externalId: string;
}

/** The partner has used the id more than once: on the phone, it may be the other order that is meant. */
export function SameExternalId({ ids, externalId }: Props) {
  if (ids.length === 0) return null;
  return (
    <p className="mt-1.5 flex flex-wrap items-center gap-x-2.5 text-wait">
      <span className="inline-flex items-center gap-1.5 font-medium">
        <WarningIcon />
        {ids.length === 1
          ? "Another order has this external id:"
          : `${ids.length} others have this external id:`}
      </span>
      {ids.slice(-NAMED).map((id) => (
        <Link key={id} to="/orders/$id" params={{ id: String(id) }} className="num py-0.5 underline">
          order {id}
        </Link>
      ))}
      {ids.length > NAMED && (
        <Link to="/" search={{ q: externalId }} className="py-0.5 underline">
          all of them
        </Link>
      )}
    </p>
  );
}
