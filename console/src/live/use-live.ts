import { createContext, useContext, useEffect, useEffectEvent, useSyncExternalStore } from "react";
import type { Look } from "../api/types.ts";
import type { Live, LiveState } from "./live.ts";

export const LiveContext = createContext<Live | null>(null);

export function useLive(): Live {
  const live = useContext(LiveContext);
  if (live === null) throw new Error("there is no live connection around this component");
  return live;
}

export function useLiveState(): LiveState {
  const live = useLive();
  return useSyncExternalStore(live.onState, live.state);
}

export function useHeld(): boolean {
  const live = useLive();
  return useSyncExternalStore(live.onState, live.held);
}

export function useTicketingFails(): boolean {
  const live = useLive();
  return useSyncExternalStore(live.onState, live.ticketingFails);
}

/** Calls with every look of the gateway; with null where what was read before may be old. */
export function useLook(onLook: (look: Look | null) => void): void {
  const live = useLive();
  const listener = useEffectEvent(onLook);
  useEffect(() => live.onLook((look) => listener(look)), [live]);
}
