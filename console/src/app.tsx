import { useQuery, useQueryClient } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useRef, useState } from "react";
import { gatewayTime } from "./api/gateway-clock.ts";
import { sessionQuery } from "./api/queries.ts";
import type { Session } from "./api/types.ts";
import { createLive } from "./live/live.ts";
import { LiveContext } from "./live/use-live.ts";
import { createConsoleRouter } from "./router.tsx";
import { forget, forgetPages, onSignInElsewhere, SessionContext, signIn } from "./session/session.ts";
import { ProblemNotice } from "./ui/notice.tsx";
import { Page } from "./ui/page.tsx";

const router = createConsoleRouter();
/** Whoever is signed in needn't load it. */
const SignInPage = lazy(() =>
  import("./shell/sign-in-page.tsx").then(({ SignInPage }) => ({ default: SignInPage })),
);

/** Whoever is signed in sees the pages; nobody else sees more than the way in. The address stays the same meanwhile. */
export function App({ linkToken }: { readonly linkToken: string | null }) {
  const queries = useQueryClient();
  const { session, isLinkRefused } = useWhoIsHere(linkToken);
  const name = session.data?.name ?? null;
  const [lastName, setLastName] = useState(name);
  if (name !== null && name !== lastName) setLastName(name);
  // What one has read the next one doesn't see.
  useEffect(() => (name === null ? undefined : () => forgetPages(queries)), [queries, name]);

  if (session.isPending) return LOADING;
  if (session.isError && !session.data) {
    return (
      <Page title="No answer" quiet>
        <ProblemNotice error={session.error} onRetry={() => void session.refetch()} />
      </Page>
    );
  }
  if (!session.data) {
    return (
      <Suspense fallback={LOADING}>
        <SignInPage why={lastName !== null ? "ended" : isLinkRefused ? "link" : "first"} />
      </Suspense>
    );
  }
  return <SignedIn key={name} session={session.data} />;
}

/** One live connection for all pages, for as long as the same person is signed in. */
function SignedIn({ session }: { readonly session: Session }) {
  const queries = useQueryClient();
  const [live] = useState(() =>
    createLive({
      onSignedOut: () => forget(queries),
      onLost: () => void queries.refetchQueries(sessionQuery, { cancelRefetch: false }),
    }),
  );
  useEffect(() => live.open(), [live]);
  return (
    <SessionContext value={session}>
      <LiveContext value={live}>
        <RouterProvider router={router} />
      </LiveContext>
    </SessionContext>
  );
}

function useWhoIsHere(linkToken: string | null) {
  const isLinkTried = useRef(linkToken === null);
  const [isLinkRefused, setLinkRefused] = useState(false);
  const session = useQuery({
    ...sessionQuery,
    queryFn: async (context) => {
      const session = await sessionQuery.queryFn!(context);
      const isLinkDue = !isLinkTried.current;
      isLinkTried.current = true;
      // Any page can open a link: nobody who is signed in becomes somebody else by it.
      if (session !== null || !isLinkDue) return session;
      return signIn(linkToken!).catch(() => {
        setLinkRefused(true);
        return null;
      });
    },
    refetchInterval: ({ state }) => (state.status === "error" ? AGAIN_MS : untilEndMs(state.data)),
    // What a tab shows doesn't outlive the session because nobody looks at it.
    refetchIntervalInBackground: true,
  });
  const { refetch } = session;
  useEffect(() => onSignInElsewhere(() => void refetch()), [refetch]);
  return { session, isLinkRefused };
}

const LOADING = <main aria-busy="true" aria-label="Loading" />;

const AGAIN_MS = 10_000;
/** The longest that a timer can be set to is 24 days. */
const LONGEST_MS = 86_400_000;

/** When to look whether the session is over, if nothing says so before. The live stream mostly does. */
function untilEndMs(session: Session | null | undefined): number | false {
  if (!session?.session) return false;
  const { idle_until: idleUntil, ends_at: endsAt } = session.session;
  const leftMs = Math.min(Date.parse(idleUntil), Date.parse(endsAt)) - gatewayTime();
  return Math.min(LONGEST_MS, Math.max(AGAIN_MS, leftMs + 1000));
}
