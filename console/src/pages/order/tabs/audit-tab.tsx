import type { OrderStory } from "../../../api/types.ts";
import { visible } from "../../../format/visible.ts";
import { Empty } from "../../../ui/empty.tsx";
import { PersonIcon } from "../../../ui/icons.tsx";
import { Time } from "../../../ui/time.tsx";
import { actionWords } from "../timeline/moment-words.ts";

/** Which people did or saw what, the newest first. */
export function AuditTab({ story }: { readonly story: OrderStory }) {
  const actions = (story.order.actions ?? []).toReversed();
  if (actions.length === 0) {
    return (
      <Empty Icon={PersonIcon} title="No operator has touched this order">
        What operators do to it, and whether they look at the buyer's data, will stand here.
      </Empty>
    );
  }
  return (
    <table className="w-full">
      <thead className="text-xs text-ink-3 max-sm:sr-only">
        <tr className="border-b border-line">
          <th scope="col" className="px-3 py-1.5">
            When
          </th>
          <th scope="col" className="px-3">
            Who
          </th>
          <th scope="col" className="px-3">
            Did
          </th>
          <th scope="col" className="px-3">
            Why
          </th>
        </tr>
      </thead>
      <tbody>
        {actions.map(({ at, actor, action, reason }, index) => (
          <tr
            // oxlint-disable-next-line react/no-array-index-key -- there may be two of one time
            key={index}
            className="border-t border-line align-top first:border-0 max-sm:grid max-sm:px-3 max-sm:py-2 sm:[&>td]:px-3 sm:[&>td]:py-1.5"
          >
            <td className="text-ink-2">
              <Time at={at} />
            </td>
            <td className="font-medium wrap-anywhere">{actor}</td>
            <td className="wrap-anywhere">{actionWords(action)}</td>
            <td className="text-ink-2 wrap-anywhere">{action === "reveal" ? "" : visible(reason)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
