import { useState } from "react";
import { prettyJson } from "../../format/json-text.ts";
import { visible } from "../../format/visible.ts";
import { count } from "../../format/words.ts";
import { CopyButton } from "../../ui/copy.tsx";

/** More of a text is not drawn: browsers and readers get slow. */
const SHOWN_CHARS = 64 * 1024;

interface Props {
  readonly text: string;
  /** What it is: `payload`. */
  readonly what: string;
  /** True: in the middle of other things, no higher than some lines. */
  readonly low?: boolean;
}

/** A text from outside: JSON made readable, or exactly as it came; copied whole, as it came. */
export function TextBlock({ text, what, low = false }: Props) {
  const [isRaw, setRaw] = useState(false);
  const begin = text.slice(0, SHOWN_CHARS);
  const pretty = prettyJson(begin);
  const shown = isRaw || pretty === null ? begin : pretty.slice(0, 2 * SHOWN_CHARS);
  return (
    <div className="min-w-0">
      <div className="flex flex-wrap items-center gap-2 pb-1.5">
        <p className="num me-auto text-xs text-ink-3">
          {count(new TextEncoder().encode(text).length)} bytes
          {text.length > SHOWN_CHARS && ", of which the beginning is shown"}
        </p>
        {pretty !== null && (
          <label className="flex min-h-7 items-center gap-1.5 text-xs text-ink-2">
            <input
              type="checkbox"
              className="size-3.5 accent-accent"
              checked={isRaw}
              onChange={(event) => setRaw(event.target.checked)}
            />
            Raw
          </label>
        )}
        <CopyButton text={text} what={what}>
          {text.length > SHOWN_CHARS ? "Copy all" : "Copy"}
        </CopyButton>
      </div>
      <pre
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls is scrolled with keys
        tabIndex={0}
        role="region"
        aria-label={what}
        className={`overflow-auto rounded-md border border-line bg-page p-2.5 font-mono text-xs whitespace-pre-wrap wrap-anywhere ${low ? "max-h-64" : "max-h-[70dvh]"}`}
      >
        {visible(shown)}
      </pre>
    </div>
  );
}
