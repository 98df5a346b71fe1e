import { codeOfTicket } from "../../../../../src/orders/ticket-codes.ts";
import type { OrderStory } from "../../../api/types.ts";
import { visible } from "../../../format/visible.ts";
import { count } from "../../../format/words.ts";
import { CopyButton, Copyable } from "../../../ui/copy.tsx";
import { Empty } from "../../../ui/empty.tsx";
import { TicketIcon } from "../../../ui/icons.tsx";

/** What ticketing has issued: the codes big, copied by a click. */
export function TicketsTab({ story }: { readonly story: OrderStory }) {
  const { tickets, reference, status } = story.order;
  if (tickets.length === 0) {
    return (
      <Empty Icon={TicketIcon} title="No tickets">
        {status === "ticketing_unknown"
          ? "Nobody knows whether ticketing has issued any: ask there for the trace id."
          : reference === null
            ? "Ticketing has issued none so far."
            : "Ticketing gave a reference alone, without codes."}
      </Empty>
    );
  }
  const rows = tickets.map((ticket) => ({ ticket, code: codeOfTicket(JSON.stringify(ticket)) }));
  const codes = rows.flatMap(({ code }) => code ?? []);
  return (
    <>
      {codes.length > 1 && (
        <div className="flex justify-end px-3 pt-2">
          <CopyButton text={codes.join("\n")} what="all codes">
            Copy all {count(codes.length)} codes
          </CopyButton>
        </div>
      )}
      <ol className="px-3 py-1">
        {rows.map(({ ticket, code }, index) => (
          <li
            // oxlint-disable-next-line react/no-array-index-key -- tickets have no other name
            key={index}
            className="flex flex-wrap items-baseline gap-x-4 border-t border-line py-1.5 [contain-intrinsic-size:auto_2.5rem] [content-visibility:auto] first:border-0"
          >
            <span className="num w-8 shrink-0 text-end text-xs text-ink-3">{index + 1}</span>
            {code !== null && (
              <Copyable text={code} what="ticket code" className="font-mono text-lg font-semibold" />
            )}
            <Rest ticket={ticket} code={code} />
          </li>
        ))}
      </ol>
    </>
  );
}

/** What else ticketing says of a ticket, in small. */
function Rest({ ticket, code }: { readonly ticket: unknown; readonly code: string | null }) {
  if (typeof ticket !== "object" || ticket === null) {
    return code === null ? <code className="wrap-anywhere">{visible(JSON.stringify(ticket))}</code> : null;
  }
  const fields = Object.entries(ticket).filter(([, value]) => textOf(value) !== code);
  return (
    <dl className="flex min-w-0 flex-wrap gap-x-4 text-xs">
      {fields.slice(0, 20).map(([name, value]) => (
        <div key={name} className="flex min-w-0 gap-1">
          <dt className="text-ink-3">{visible(name.slice(0, 60))}</dt>
          <dd className="num wrap-anywhere">{visible(textOf(value).slice(0, 300))}</dd>
        </div>
      ))}
    </dl>
  );
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
