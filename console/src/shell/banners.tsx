import { Link, useMatchRoute } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { LiveState } from "../live/live.ts";
import { useHeld, useLiveState, useTicketingFails } from "../live/use-live.ts";
import { useNow } from "../preferences/use-now.ts";
import { HeldNotice } from "../ui/held-notice.tsx";
import { Notice } from "../ui/notice.tsx";
import { FromNow } from "../ui/time.tsx";

/** What holds for every page, whatever it shows. */
export function Banners() {
  const isHeld = useHeld();
  const ticketingFails = useTicketingFails();
  // There it stands with who and why.
  const isTold = Boolean(useMatchRoute()({ to: "/overview" }));
  return (
    <>
      <OldNews />
      {isHeld && !isTold && (
        <Banner>
          <HeldNotice />
        </Banner>
      )}
      {ticketingFails && !isTold && (
        <Banner>
          <Notice
            tone="stop"
            title="Ticketing fails for every order."
            action={
              <Link to="/overview" className="underline hover:text-ink">
                Since when, and why
              </Link>
            }
          >
            New orders are accepted and wait; no attempts are spent, and all go on by themselves when it
            answers.
          </Notice>
        </Banner>
      )}
    </>
  );
}

/** What is over sooner is nothing to act on: a gateway that is restarted is back by then. */
const PATIENCE_MS = 10_000;

const TROUBLE = {
  gateway: {
    title: "The gateway doesn't answer.",
    advice: "Look whether it runs and whether you are online.",
  },
  database: {
    title: "The gateway can't read its database at the moment.",
    advice: "Orders that were accepted are safe; until it is back, none are.",
  },
} as const;

/** Nobody acts on an old picture without knowing that it is one. */
function OldNews() {
  const state = useLiveState();
  return state.kind === "trouble" ? <Trouble state={state} /> : null;
}

function Trouble({ state }: { readonly state: Extract<LiveState, { kind: "trouble" }> }) {
  const now = useNow();
  const { lastAt } = state;
  if (lastAt !== null && now - lastAt < PATIENCE_MS) return null;
  const { title, advice } = TROUBLE[state.of];
  return (
    <Banner>
      <Notice tone="stop" title={title}>
        {lastAt !== null && (
          <>
            What you see is as it was <FromNow at={new Date(lastAt).toISOString()} />.{" "}
          </>
        )}
        {advice} This page goes on by itself.
      </Notice>
    </Banner>
  );
}

function Banner({ children }: { readonly children: ReactNode }) {
  return <div className="mx-auto w-full max-w-[96rem] px-3 pt-3 sm:px-5">{children}</div>;
}
