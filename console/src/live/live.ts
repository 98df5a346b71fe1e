import { API_BASE } from "../api/client.ts";
import { gatewayTime } from "../api/gateway-clock.ts";
import type { Look } from "../api/types.ts";
import { createRetry } from "./retry.ts";

export type LiveState =
  /** `lastAt`: epoch milliseconds by the gateway's clock, when the last look arrived. */
  | { readonly kind: "live"; readonly lastAt: number }
  | { readonly kind: "paused"; readonly lastAt: number | null }
  | { readonly kind: "connecting"; readonly lastAt: number | null }
  | {
      readonly kind: "trouble";
      readonly lastAt: number | null;
      /** What doesn't answer. */
      readonly of: "gateway" | "database";
      readonly detail: string;
    };

export interface Live {
  state(): LiveState;
  /** True while the gateway is held: nothing is worked. */
  held(): boolean;
  /** True while ticketing's circuit holds all orders back. */
  ticketingFails(): boolean;
  onState(listener: () => void): () => void;
  /** @param listener null: the connection is new or was away, what was read before may be old */
  onLook(listener: (look: Look | null) => void): () => void;
  pause(): void;
  resume(): void;
  /** Connects. @returns what ends it */
  open(): () => void;
}

export interface LiveOptions {
  /** The gateway has ended the session. */
  readonly onSignedOut: () => void;
  /** The stream broke, and an EventSource doesn't say why: the session may be over. */
  readonly onLost: () => void;
}

/** Beats that are missing for so long mean that the connection is dead, whatever the browser thinks. */
const SILENCE_MS = 15_000;

/**
 * One connection to the gateway's live stream for the whole page. A tab that nobody sees has none: a browser has
 * six connections to a host for all of its tabs together (HTTP/1.1), and six streams would leave none for requests. When the tab
 * is seen again it connects at once, and says that something may have been missed.
 */
export function createLive({ onSignedOut, onLost }: LiveOptions): Live {
  const stateListeners = new Set<() => void>();
  const lookListeners = new Set<(look: Look | null) => void>();
  const retry = createRetry(connect);
  let state: LiveState = { kind: "connecting", lastAt: null };
  let isHeld = false;
  let ticketingFails = false;
  let isPaused = false;
  let hasGap = true;
  let source: EventSource | null = null;
  let silence: ReturnType<typeof setTimeout> | undefined;

  function become(next: LiveState): void {
    state = next;
    for (const listener of stateListeners) listener();
  }

  function disconnect(): void {
    clearTimeout(silence);
    retry.cancel();
    source?.close();
    source = null;
    hasGap = true;
  }

  function lose(detail: string): void {
    disconnect();
    become({ kind: "trouble", lastAt: state.lastAt, of: "gateway", detail });
    retry.later();
    onLost();
  }

  function heard(): void {
    clearTimeout(silence);
    silence = setTimeout(() => lose("The gateway has been silent."), SILENCE_MS);
  }

  function take(look: Look): void {
    const wasAway = hasGap;
    hasGap = false;
    isHeld = look.held;
    ticketingFails = look.ticketing_fails;
    retry.succeeded();
    become({ kind: "live", lastAt: gatewayTime() });
    for (const listener of lookListeners) listener(wasAway ? null : look);
  }

  function connect(): void {
    disconnect();
    if (isPaused || document.hidden) return;
    source = new EventSource(new URL("admin/live", API_BASE));
    heard();
    const on = (kind: string, act: (data: string) => void): void =>
      source?.addEventListener(kind, (event: MessageEvent<string>) => {
        heard();
        act(event.data);
      });
    on("look", (data) => take(JSON.parse(data) as Look));
    on("trouble", (data) => {
      hasGap = true;
      const { detail } = JSON.parse(data) as { detail: string };
      become({ kind: "trouble", lastAt: state.lastAt, of: "database", detail });
    });
    on("end", (data) => {
      const { reason } = JSON.parse(data) as { reason: string };
      if (reason !== "signed_out") return lose("The gateway is stopping.");
      disconnect();
      onSignedOut();
    });
    source.addEventListener("error", () => lose("The connection to the gateway is lost."));
  }

  function follow(): void {
    if (isPaused) return;
    // What broke stays told as broken until it is whole.
    if (state.kind !== "trouble") become({ kind: "connecting", lastAt: state.lastAt });
    connect();
  }

  return {
    state: () => state,
    held: () => isHeld,
    ticketingFails: () => ticketingFails,
    onState(listener) {
      stateListeners.add(listener);
      return () => stateListeners.delete(listener);
    },
    onLook(listener) {
      lookListeners.add(listener);
      return () => lookListeners.delete(listener);
    },
    pause() {
      isPaused = true;
      disconnect();
      become({ kind: "paused", lastAt: state.lastAt });
    },
    resume() {
      isPaused = false;
      become({ kind: "connecting", lastAt: state.lastAt });
      connect();
    },
    open() {
      const over = new AbortController();
      document.addEventListener("visibilitychange", follow, { signal: over.signal });
      addEventListener("online", follow, { signal: over.signal });
      connect();
      return () => {
        over.abort();
        disconnect();
      };
    },
  };
}
