import { createContext, useContext } from "react";
import { type QueryClient, useMutation, useQueryClient } from "@tanstack/react-query";
import { call } from "../api/client.ts";
import { type Session, sessionQuery } from "../api/queries.ts";

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

export function signIn(token: string): Promise<Session> {
  return call<Session>("admin/session", { method: "POST", body: { token } });
}

/** Nobody is signed in any more. All that was read is forgotten, so that the next who signs in sees nothing of it. */
export function forget(queries: QueryClient): void {
  queries.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== sessionQuery.queryKey[0] });
  queries.setQueryData(sessionQuery.queryKey, null);
}

export function useSignOut() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => call("admin/session", { method: "DELETE" }),
    onSuccess: () => forget(queries),
  });
}
