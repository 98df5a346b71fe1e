import { Link } from "@tanstack/react-router";
import type { Overview } from "../../api/types.ts";
import { counted } from "../../format/words.ts";
import { useHeld } from "../../live/use-live.ts";
import { HeldNotice } from "../../ui/held-notice.tsx";
import { Notice } from "../../ui/notice.tsx";
import { FromNow, Time } from "../../ui/time.tsx";

const NAMED = 5;
const LINK = "underline hover:text-ink";

/** What keeps orders from going on by themselves, what that means, and what to do about it. */
export function OverviewNotices({ told }: { readonly told: Overview }) {
  // The looks tell it before the next count does.
  const isHeld = useHeld();
  const open = told.partners.filter(({ callbacks }) => callbacks.circuit === "open");
  return (
    <>
      {told.held ? <Held held={told.held} /> : isHeld && <HeldNotice />}
      {told.ticketing.open_since !== null && (
        <TicketingFails reason={told.ticketing.reason} since={told.ticketing.open_since} />
      )}
      {open.length > 0 && <CallbacksFail partners={open} />}
      {told.at_least && (
        <Notice tone="wait" title="A backlog is so long that not all of it was counted.">
          Figures with ≥ are lower bounds.
        </Notice>
      )}
    </>
  );
}

function Held({ held: { by, since, reason } }: { readonly held: NonNullable<Overview["held"]> }) {
  return (
    <Notice
      tone="wait"
      title={
        <>
          {by} holds the gateway since <Time at={since} /> (<FromNow at={since} />)
        </>
      }
    >
      <p className="line-clamp-3 text-ink">“{reason}”</p>
      <p>
        Orders are accepted and shown, and nothing is worked. Who visits today waits too. When the reason is
        gone, <code>wavegate release</code> lets all go on at once.
      </p>
    </Notice>
  );
}

function TicketingFails({ reason, since }: { readonly reason: string | null; readonly since: string }) {
  return (
    <Notice
      tone="stop"
      title={
        <>
          Ticketing fails for every order since <Time at={since} /> (<FromNow at={since} />)
          {reason !== null && <>: {reason}</>}
        </>
      }
      action={
        <Link to="/errors" search={{ since: "1h", leg: "ticketing" }} className={LINK}>
          See what it answers
        </Link>
      }
    >
      Orders are accepted and wait; no attempts are spent. One at a time is tried as a probe, and when it
      succeeds all go on by themselves. Call who runs ticketing. Answers 401, 403 or 404 mean that our own
      credentials or address are wrong.
    </Notice>
  );
}

function CallbacksFail({ partners }: { readonly partners: Overview["partners"] }) {
  const named = partners.slice(0, NAMED);
  const rest = partners.length - named.length;
  return (
    <Notice
      tone="stop"
      title={
        partners.length === 1
          ? "A partner takes no callbacks"
          : `${counted(partners.length, "partner")} take no callbacks`
      }
      action={
        <Link to="/errors" search={{ since: "1h", leg: "callback" }} className={LINK}>
          See what they answer
        </Link>
      }
    >
      <ul>
        {named.map(({ id, name, callbacks: { open_since, reason } }) => (
          <li key={id}>
            <Link to="/partners/$id" params={{ id }} className={`font-medium text-ink ${LINK}`}>
              {name}
            </Link>
            {open_since !== null && (
              <>
                {" "}
                since <Time at={open_since} />
              </>
            )}
            {reason !== null && <>: {reason}</>}
          </li>
        ))}
        {rest > 0 && <li>{counted(rest, "more partner")}: the table below has them first.</li>}
      </ul>
      <p>
        Their guests have tickets, and they don't know it. Callbacks wait without spending attempts and go out
        by themselves when a probe gets through. Tell the partner since when, and what its endpoint answers.
      </p>
    </Notice>
  );
}
