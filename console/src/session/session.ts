import { createContext, useContext } from "react";
import type { QueryClient } from "@tanstack/react-query";
import { call } from "../api/client.ts";
import { sessionQuery } from "../api/queries.ts";
import type { Session } from "../api/types.ts";

export const SessionContext = createContext<Session | null>(null);

/** Who is signed in. Only below the sign-in. */
export function useSession(): Session {
  const session = useContext(SessionContext);
  if (session === null) throw new Error("nobody is signed in around this component");
  return session;
}

/** True: this operator may act. Viewers are shown nothing that they can't use. */
export function useMayAct(): boolean {
  return useSession().role === "operator";
}

/** Tabs of one browser share its cookie: who signs in in one is signed in in all. */
const signIns = new BroadcastChannel("wavegate.sign-in");

/** @throws ApiProblem */
export async function signIn(token: string): Promise<Session> {
  const session = await call<Session>("admin/session", { method: "POST", body: { token } });
  signIns.postMessage(null);
  return session;
}

/** @returns what ends the listening */
export function onSignInElsewhere(listener: () => void): () => void {
  signIns.addEventListener("message", listener);
  return () => signIns.removeEventListener("message", listener);
}

/** Nobody is signed in any more. All that was read is forgotten, so that the next who signs in sees nothing of it. */
export function forget(queries: QueryClient): void {
  forgetPages(queries);
  queries.setQueryData(sessionQuery.queryKey, null);
}

export function forgetPages(queries: QueryClient): void {
  queries.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== sessionQuery.queryKey[0] });
}
