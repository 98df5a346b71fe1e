import type { ComponentProps, ReactNode } from "react";
import { useId } from "react";

const INPUT =
  "min-h-8 w-full rounded-md border border-line-strong bg-panel px-2.5 py-1 text-sm text-ink placeholder:text-ink-3";

interface FieldProps {
  readonly label: string;
  readonly hint?: ReactNode;
  readonly error?: string | null | undefined;
  readonly children: (ids: { id: string; "aria-describedby": string; "aria-invalid": boolean }) => ReactNode;
}

/** A labelled field: what it is, what it may hold, and what is wrong with it. */
export function Field({ label, hint, error, children }: FieldProps) {
  const id = useId();
  return (
    <div className="flex flex-col gap-1">
      <label htmlFor={id} className="text-sm font-medium">
        {label}
      </label>
      {children({ id, "aria-describedby": `${id}-hint`, "aria-invalid": Boolean(error) })}
      <p id={`${id}-hint`} className={`text-xs ${error ? "text-stop" : "text-ink-3"}`}>
        {error ?? hint}
      </p>
    </div>
  );
}

export function Input({ className = "", ...rest }: ComponentProps<"input">) {
  return <input {...rest} className={`${INPUT} ${className}`} />;
}

export function TextArea({ className = "", ...rest }: ComponentProps<"textarea">) {
  return <textarea rows={2} {...rest} className={`${INPUT} ${className}`} />;
}

export function Select({ className = "", ...rest }: ComponentProps<"select">) {
  return <select {...rest} className={`${INPUT} ${className}`} />;
}
