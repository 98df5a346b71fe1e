import { useSyncExternalStore } from "react";

/** A choice of this browser's user, kept over reloads and shared by its tabs. Without a storage it holds for the page. */
export interface Choice<T extends string> {
  get(): T;
  set(value: T): void;
  onChange(listener: () => void): () => void;
}

export function choice<T extends string>(key: string, values: readonly T[], fallback: T): Choice<T> {
  const name = `wavegate.${key}`;
  const listeners = new Set<() => void>();
  const read = (): T => {
    const stored = safely(() => localStorage.getItem(name));
    return values.find((value) => value === stored) ?? fallback;
  };
  let value = read();
  const tell = (): void => {
    for (const listener of listeners) listener();
  };
  addEventListener("storage", (event) => {
    if (event.key !== name) return;
    value = read();
    tell();
  });
  return {
    get: () => value,
    set(next) {
      value = next;
      safely(() => localStorage.setItem(name, next));
      tell();
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

export function useChoice<T extends string>(of: Choice<T>): T {
  return useSyncExternalStore(of.onChange, of.get);
}

/** Browsers may refuse the storage, and it may be full. */
function safely<T>(run: () => T): T | null {
  try {
    return run();
  } catch {
    return null;
  }
}
