import type { ReactNode } from "react";
import { Field, Input } from "./field.tsx";

interface Props {
  readonly label?: string;
  readonly hint: ReactNode;
  readonly autoFocus?: boolean;
}

/** Why something is done: the field `reason` of a form, which no act goes without. As long as the gateway takes it. */
export function ReasonField({ label = "Reason", hint, autoFocus = true }: Props) {
  return (
    <Field label={label} hint={hint}>
      {(ids) => (
        <Input
          {...ids}
          name="reason"
          required
          pattern=".*\S.*"
          maxLength={500}
          autoComplete="off"
          autoFocus={autoFocus}
        />
      )}
    </Field>
  );
}
