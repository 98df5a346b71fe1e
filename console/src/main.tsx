import { QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { CatchBoundary } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { ApiProblem } from "./api/client.ts";
import { App } from "./app.tsx";
import { followTheme } from "./preferences/theme.ts";
import { followLinkTokens, takeLinkToken } from "./session/link-token.ts";
import { forget } from "./session/session.ts";
import { PageFailed } from "./shell/fallbacks.tsx";
import "./styles.css";

/** What is refused is refused again; what got no answer may get one. */
const MAX_RETRIES = 2;

const queries = new QueryClient({
  queryCache: new QueryCache({
    onError: (error) => {
      if (error instanceof ApiProblem && error.status === 401) forget(queries);
    },
  }),
  defaultOptions: {
    queries: {
      staleTime: 2_000,
      retry: (count, error) =>
        error instanceof ApiProblem && (error.status === 0 || error.status === 503) && count < MAX_RETRIES,
      refetchOnWindowFocus: true,
    },
    mutations: {
      onError: (error) => {
        if (error instanceof ApiProblem && error.status === 401) forget(queries);
      },
    },
  },
});

// Where the dialogs' library looks for it (get-nonce): the page's policy allows a <style> of its own only by this.
Object.assign(globalThis, {
  __webpack_nonce__: document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce,
});
followTheme();
followLinkTokens();
const linkToken = takeLinkToken();
createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <CatchBoundary getResetKey={() => "console"} errorComponent={PageFailed}>
        <App linkToken={linkToken} />
      </CatchBoundary>
    </QueryClientProvider>
  </StrictMode>,
);
