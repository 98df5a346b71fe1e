import { useRouter } from "@tanstack/react-router";
import { useEffect } from "react";
import { useLive } from "../live/use-live.ts";

/** By then what was asked for is shown. */
const QUIET_MS = 3_000;

/**
 * Loads what may be opened next: it opens at once then, and also when the gateway is away, or serves a newer console whose files
 * have other names.
 */
export function usePreloadedPages(): void {
  const { routesById } = useRouter();
  const live = useLive();
  useEffect(() => {
    const timer = setTimeout(() => {
      // What fails to load is not tried again.
      if (live.state().kind !== "live") return;
      for (const { options } of Object.values(routesById)) void options.component?.preload?.();
      import("./sign-in-page.tsx").catch(() => {});
    }, QUIET_MS);
    return () => clearTimeout(timer);
  }, [routesById, live]);
}
