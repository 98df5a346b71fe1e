import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useEffectEvent } from "react";
import { call } from "../api/client.ts";
import { gatewayTime } from "../api/gateway-clock.ts";
import { sessionQuery } from "../api/queries.ts";
import type { Session } from "../api/types.ts";
import { useSession } from "./session.ts";

/** How often the gateway hears at most that somebody is there, where a session lasts long enough. */
const REST_MS = 60_000;

/** A session ends when nobody is there: whoever reads and clicks is, though most of what a page asks for, it asks for by itself. */
export function useKeepAwake(): void {
  const queries = useQueryClient();
  const { session } = useSession();
  const isDue = useEffectEvent((sinceMs: number, nowMs: number): boolean => {
    const leftMs = session === null ? Infinity : Date.parse(session.idle_until) - nowMs;
    // Also where the clock was set back.
    return nowMs < sinceMs || nowMs - sinceMs > Math.min(REST_MS, leftMs / 2);
  });
  useEffect(() => {
    let toldAt = gatewayTime();
    const over = new AbortController();
    const isHere = (): void => {
      const now = gatewayTime();
      if (!isDue(toldAt, now)) return;
      toldAt = now;
      // What goes wrong here is said by what was clicked.
      void call<Session>("admin/session", { signal: over.signal })
        .then((session) => queries.setQueryData(sessionQuery.queryKey, session))
        .catch(() => {});
    };
    for (const kind of ["pointerdown", "keydown"]) {
      addEventListener(kind, isHere, { signal: over.signal, passive: true });
    }
    return () => over.abort();
  }, [queries]);
}
