import { type ReactNode, useEffect, useState } from "react";
import { visible } from "../format/visible.ts";
import { CopyIcon, TickIcon } from "./icons.tsx";

const SHOWN_MS = 1500;

/** Copies, and says for a moment that it has. */
function useCopy(): readonly [isCopied: boolean, copy: (text: string) => void] {
  const [copied, setCopied] = useState(0);
  useEffect(() => {
    if (copied === 0) return;
    const timer = setTimeout(() => setCopied(0), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = (text: string): void => {
    void writeText(text).then((isDone) => setCopied((n) => (isDone ? n + 1 : 0)));
  };
  return [copied > 0, copy];
}

async function writeText(text: string): Promise<boolean> {
  try {
    // Only there on https and on loopback.
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

interface CopyProps {
  /** Exactly what is copied. */
  readonly text: string;
  /** What it is, for the button's name: `trace id`. */
  readonly what: string;
  readonly children?: ReactNode;
}

/** A value that is copied by a click on it, exactly as it is. @param className of its text */
export function Copyable({
  text,
  what,
  children = visible(text),
  className = "font-mono text-xs",
}: CopyProps & { readonly className?: string }) {
  const [isCopied, copy] = useCopy();
  return (
    <button
      type="button"
      onClick={() => copy(text)}
      title={isCopied ? "Copied" : `Copy ${what}`}
      aria-label={`Copy ${what}: ${text}`}
      className="group/copy -mx-1 inline-flex min-h-6 max-w-[calc(100%+0.5rem)] items-center gap-1 rounded px-1 text-start hover:bg-hover"
    >
      <span className={`min-w-0 truncate ${className}`}>{children}</span>
      {isCopied ? (
        <TickIcon className="size-3.5 text-good" />
      ) : (
        <CopyIcon className="size-3.5 text-ink-3 opacity-0 group-hover/copy:opacity-100 group-focus-visible/copy:opacity-100" />
      )}
      <span role="status" className="sr-only">
        {isCopied ? `${what} copied` : ""}
      </span>
    </button>
  );
}

/** The same as a button with words: for what is too long to be shown. */
export function CopyButton({ text, what, children }: CopyProps & { readonly children: ReactNode }) {
  const [isCopied, copy] = useCopy();
  return (
    <button
      type="button"
      onClick={() => copy(text)}
      className="inline-flex min-h-7 items-center gap-1.5 rounded border border-line px-2 text-xs text-ink-2 hover:bg-hover"
    >
      {isCopied ? <TickIcon className="size-3.5 text-good" /> : <CopyIcon className="size-3.5" />}
      {isCopied ? "Copied" : children}
      <span className="sr-only">: {what}</span>
    </button>
  );
}
