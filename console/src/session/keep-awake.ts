import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { call } from "../api/client.ts";
import { type Session, sessionQuery } from "../api/queries.ts";

/** How often the gateway hears at most that somebody is there. */
const REST_MS = 60_000;

/** A session ends when nobody is there: whoever reads and clicks is, though most of what a page asks for, it asks for by itself. */
export function useKeepAwake(): void {
  const queries = useQueryClient();
  useEffect(() => {
    let toldAt = Date.now();
    const over = new AbortController();
    const isHere = (): void => {
      if (Math.abs(Date.now() - toldAt) < REST_MS) return;
      toldAt = Date.now();
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
