import type { ButtonHTMLAttributes } from "react";

const KINDS = {
  primary: "bg-accent text-accent-ink hover:bg-accent-hover",
  plain: "border border-line-strong/60 bg-panel text-ink hover:bg-hover",
  quiet: "text-ink-2 hover:bg-hover hover:text-ink",
  danger: "bg-stop text-page hover:opacity-90",
} as const;

interface Props extends ButtonHTMLAttributes<HTMLButtonElement> {
  readonly kind?: keyof typeof KINDS;
  /** Shown instead of what it says while something runs: it can't be pressed twice. */
  readonly busy?: string | false | undefined;
}

const SHAPE =
  "inline-flex min-h-8 items-center justify-center gap-1.5 rounded-md px-3 text-sm font-medium whitespace-nowrap disabled:opacity-55";

export function Button({ kind = "plain", busy = false, className = "", children, disabled, ...rest }: Props) {
  return (
    <button
      type="button"
      {...rest}
      disabled={disabled === true || busy !== false}
      aria-busy={busy !== false}
      className={`${SHAPE} ${KINDS[kind]} ${className}`}
    >
      {busy === false ? children : busy}
    </button>
  );
}
