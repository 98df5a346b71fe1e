import { useNavigate, useSearch } from "@tanstack/react-router";
import { useId } from "react";
import { Button } from "../../ui/button.tsx";
import { Input } from "../../ui/field.tsx";
import { formText } from "../../ui/form-text.ts";

/** "They say that they sent EXT-42": the id stands in the address, so that the answer is a link. */
export function RefusalBox() {
  const { external_order_id: wanted = "" } = useSearch({ strict: false });
  const navigate = useNavigate();
  const id = useId();
  const look = (text: string) =>
    navigate({ to: ".", search: (before) => ({ ...before, external_order_id: text || undefined }) });
  return (
    <search className="min-w-0">
      <form
        // The box says what the address says, also after going back.
        key={wanted}
        className="flex flex-wrap items-center gap-2"
        onSubmit={(event) => {
          event.preventDefault();
          void look(formText(event.currentTarget, "external_order_id"));
        }}
      >
        <label htmlFor={id} className="w-full text-ink-2 sm:w-auto">
          Was an order refused?
        </label>
        <div className="min-w-0 flex-1 sm:w-52 sm:flex-none">
          <Input
            id={id}
            name="external_order_id"
            defaultValue={wanted}
            placeholder="Its external id, whole"
            maxLength={128}
            autoComplete="off"
            spellCheck={false}
            className="font-mono text-xs"
          />
        </div>
        <Button type="submit">Look</Button>
        {wanted !== "" && (
          <Button kind="quiet" onClick={() => void look("")}>
            Clear
          </Button>
        )}
      </form>
    </search>
  );
}
