import type { Overview } from "../../api/types.ts";
import { CheckIcon } from "../../ui/icons.tsx";
import { Panel } from "../../ui/page.tsx";
import { WaitingOrder } from "./waiting-order.tsx";

/** Whoever has waited longest: of what goes on by itself, and of what waits for somebody. */
export function OldestWithoutTickets({ oldest }: { readonly oldest: Overview["oldest_not_ticketed"] }) {
  const { standing, in_work: inWork } = oldest;
  return (
    <Panel title="Oldest without tickets">
      {standing === null && inWork === null ? (
        <p className="flex items-center gap-2 px-3 py-3 text-good">
          <CheckIcon className="size-5" />
          All orders have their tickets
        </p>
      ) : (
        <dl className="pb-1.5">
          <Oldest what="Needs attention" order={standing} />
          <Oldest what="On its way" order={inWork} />
        </dl>
      )}
    </Panel>
  );
}

interface Props {
  readonly what: string;
  readonly order: Overview["oldest_not_ticketed"]["standing"];
}

function Oldest({ what, order }: Props) {
  return (
    <div className="pt-2">
      <dt className="px-3 text-xs text-ink-3">{what}</dt>
      <dd>
        {order === null ? (
          <p className="px-3 py-1.5">None</p>
        ) : (
          <ul>
            <WaitingOrder order={order} />
          </ul>
        )}
      </dd>
    </div>
  );
}
