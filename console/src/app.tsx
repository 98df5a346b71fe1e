import { useQuery, useQueryClient } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { sessionQuery } from "./api/queries.ts";
import { type Live, openLive } from "./live/live.ts";
import { LiveContext } from "./live/use-live.ts";
import { createConsoleRouter } from "./router.tsx";
import { forget, SessionContext, signIn } from "./session/session.ts";
import { SignInPage } from "./session/sign-in-page.tsx";
import { ProblemNotice } from "./ui/notice.tsx";
import { Page } from "./ui/page.tsx";

const router = createConsoleRouter();

/** Whoever is signed in sees the pages; nobody else sees more than the way in. The address stays the same meanwhile. */
export function App({ linkToken }: { readonly linkToken: string | null }) {
  const isLinkTried = useRef(linkToken === null);
  const wasSignedIn = useRef(false);
  const queries = useQueryClient();
  const session = useQuery({
    ...sessionQuery,
    queryFn: async (context) => {
      if (isLinkTried.current) return sessionQuery.queryFn!(context);
      isLinkTried.current = true;
      // One that doesn't hold any more: the way in is shown.
      return signIn(linkToken!).catch(() => sessionQuery.queryFn!(context));
    },
  });
  const isSignedIn = Boolean(session.data);
  useEffect(() => {
    if (isSignedIn) wasSignedIn.current = true;
  }, [isSignedIn]);
  const live = useLiveWhile(isSignedIn, () => forget(queries));

  if (session.isPending) return <main aria-busy="true" aria-label="Loading" />;
  if (session.isError && !session.data) {
    return (
      <Page title="No answer" quiet>
        <ProblemNotice error={session.error} onRetry={() => void session.refetch()} />
      </Page>
    );
  }
  if (!session.data) return <SignInPage ended={wasSignedIn.current} />;
  if (live === null) return null;
  return (
    <SessionContext value={session.data}>
      <LiveContext value={live}>
        <RouterProvider router={router} />
      </LiveContext>
    </SessionContext>
  );
}

/** One connection for all pages, for as long as somebody is signed in. */
function useLiveWhile(isSignedIn: boolean, onSignedOut: () => void): Live | null {
  const [live, setLive] = useState<Live | null>(null);
  useEffect(() => {
    if (!isSignedIn) return;
    const opened = openLive(onSignedOut);
    setLive(opened);
    return () => {
      opened.close();
      setLive(null);
    };
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- the function says the same each time
  }, [isSignedIn]);
  return live;
}
