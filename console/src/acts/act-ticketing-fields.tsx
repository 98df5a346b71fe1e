import { Field, Input, TextArea } from "../ui/field.tsx";
import { formText } from "../ui/form-text.ts";

const MAX_CODES = 1000;
const MAX_CODE_CHARS = 255;

/** What ticketing has given: codes, its reference, or both. */
export function TicketingFields({ problem }: { readonly problem: string | null }) {
  return (
    <>
      <Field label="Ticket codes" hint="One per line, exactly as ticketing gave them." error={problem}>
        {(ids) => (
          <TextArea
            {...ids}
            name="codes"
            rows={5}
            spellCheck={false}
            autoComplete="off"
            autoCapitalize="off"
            autoFocus
            className="font-mono"
          />
        )}
      </Field>
      <Field label="Ticketing's reference" hint="If it gave one. Needed where there are no codes.">
        {(ids) => (
          <Input
            {...ids}
            name="reference"
            maxLength={MAX_CODE_CHARS}
            spellCheck={false}
            autoComplete="off"
            className="font-mono"
          />
        )}
      </Field>
    </>
  );
}

interface Given {
  readonly body: { readonly tickets?: readonly string[]; readonly reference?: string };
  readonly problem: string | null;
}

export function readTicketing(form: HTMLFormElement): Given {
  const reference = formText(form, "reference");
  const tickets = formText(form, "codes")
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "");
  return {
    body: { ...(tickets.length > 0 && { tickets }), ...(reference !== "" && { reference }) },
    problem: problemOf(tickets, reference),
  };
}

function problemOf(tickets: readonly string[], reference: string): string | null {
  if (tickets.length === 0 && reference === "") return "Enter the codes, the reference, or both.";
  if (tickets.length > MAX_CODES) return `These are ${tickets.length} codes: an order takes ${MAX_CODES}.`;
  const long = tickets.findIndex((code) => code.length > MAX_CODE_CHARS);
  if (long !== -1) return `Code ${long + 1} is longer than ${MAX_CODE_CHARS} characters.`;
  // Two guests with one code: the second stands before a closed gate.
  const again = tickets.find((code, n) => tickets.indexOf(code) !== n);
  return again === undefined ? null : `${again} stands here twice.`;
}
