import { API_BASE } from "../api/client.ts";
import type { OrderStatus } from "../api/types.ts";

/** What the gateway has seen in its last look. */
export interface Look {
  readonly at: string;
  readonly orders: readonly { readonly id: number; readonly status: OrderStatus; readonly came: boolean }[];
  /** True: more has moved than is named here. */
  readonly more: boolean;
  readonly held: boolean;
}

export type LiveState =
  /** `lastAt`: epoch milliseconds of this machine, when the last look arrived. */
  | { readonly kind: "live"; readonly lastAt: number }
  | { readonly kind: "paused"; readonly lastAt: number | null }
  | { readonly kind: "connecting"; readonly lastAt: number | null }
  | { readonly kind: "trouble"; readonly lastAt: number | null; readonly detail: string };

export interface Live {
  state(): LiveState;
  /** True while the gateway is held: nothing is worked. */
  held(): boolean;
  onState(listener: () => void): () => void;
  /** @param listener null: the connection was away, anything may have moved meanwhile */
  onLook(listener: (look: Look | null) => void): () => void;
  pause(): void;
  resume(): void;
  close(): void;
}

/** Beats that are missing for so long mean that the connection is dead, whatever the browser thinks. */
const SILENCE_MS = 15_000;
const RETRY_MS = 3_000;

/**
 * One connection to the gateway's live stream for the whole page; it ends with `close`.
 *
 * @param onSignedOut the gateway has ended the session, or doesn't know it any more
 */
export function openLive(onSignedOut: () => void): Live {
  const stateListeners = new Set<() => void>();
  const lookListeners = new Set<(look: Look | null) => void>();
  let state: LiveState = { kind: "connecting", lastAt: null };
  let isHeld = false;
  let hasGap = false;
  let source: EventSource | null = null;
  let silence: ReturnType<typeof setTimeout> | undefined;
  let retry: ReturnType<typeof setTimeout> | undefined;

  function become(next: LiveState): void {
    state = next;
    for (const listener of stateListeners) listener();
  }

  function disconnect(): void {
    clearTimeout(silence);
    clearTimeout(retry);
    source?.close();
    source = null;
  }

  function again(detail: string): void {
    disconnect();
    hasGap = true;
    become({ kind: "trouble", lastAt: state.lastAt, detail });
    retry = setTimeout(connect, RETRY_MS);
  }

  function heard(): void {
    clearTimeout(silence);
    silence = setTimeout(() => again("The gateway has been silent."), SILENCE_MS);
  }

  function connect(): void {
    disconnect();
    const opened = new EventSource(new URL("admin/live", API_BASE), { withCredentials: false });
    source = opened;
    heard();
    opened.addEventListener("look", (event) => {
      heard();
      const look = JSON.parse(event.data as string) as Look;
      const wasAway = hasGap;
      hasGap = false;
      isHeld = look.held;
      become({ kind: "live", lastAt: Date.now() });
      for (const listener of lookListeners) listener(wasAway ? null : look);
    });
    opened.addEventListener("trouble", (event) => {
      heard();
      hasGap = true;
      const { detail } = JSON.parse(event.data as string) as { detail: string };
      become({ kind: "trouble", lastAt: state.lastAt, detail });
    });
    opened.addEventListener("end", (event) => {
      const { reason } = JSON.parse(event.data as string) as { reason: string };
      if (reason !== "signed_out") return again("The gateway is stopping.");
      disconnect();
      onSignedOut();
    });
    // What went wrong an EventSource doesn't say: the next request of a page will.
    opened.addEventListener("error", () => again("The connection to the gateway is lost."));
  }

  connect();
  return {
    state: () => state,
    held: () => isHeld,
    onState(listener) {
      stateListeners.add(listener);
      return () => stateListeners.delete(listener);
    },
    onLook(listener) {
      lookListeners.add(listener);
      return () => lookListeners.delete(listener);
    },
    pause() {
      disconnect();
      hasGap = true;
      become({ kind: "paused", lastAt: state.lastAt });
    },
    resume() {
      become({ kind: "connecting", lastAt: state.lastAt });
      connect();
    },
    close: disconnect,
  };
}
