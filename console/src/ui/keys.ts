import { useEffect, useEffectEvent } from "react";

/** What a key does, by its `KeyboardEvent.key`. */
export type Keys = Readonly<Record<string, (event: KeyboardEvent) => void>>;

const WRITABLE = "input, textarea, select, [contenteditable], [role=menu]";

/**
 * Single keys of the page. They are left alone while somebody writes, while a dialog or a menu is open, and with Ctrl, Alt or
 * Meta (WCAG 2.1.4 would have them be switched off or remapped where they acted on fields).
 */
export function useKeys(keys: Keys): void {
  const onKey = useEffectEvent((event: KeyboardEvent) => {
    if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) return;
    const target = event.target as Element | null;
    if (target?.closest(WRITABLE) || document.querySelector("[role=dialog], [role=menu]")) return;
    keys[event.key]?.(event);
  });
  useEffect(() => {
    const listener = (event: KeyboardEvent): void => onKey(event);
    document.addEventListener("keydown", listener);
    return () => document.removeEventListener("keydown", listener);
  }, []);
}
