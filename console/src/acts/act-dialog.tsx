import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "../api/client.ts";
import type { OrderStory } from "../api/types.ts";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { formText } from "../ui/form-text.ts";
import { ProblemNotice } from "../ui/notice.tsx";
import { ReasonField } from "../ui/reason-field.tsx";
import { readTicketing, TicketingFields } from "./act-ticketing-fields.tsx";
import { actKey, type PossibleAct, wordsOf } from "./act-words.ts";

interface Props {
  readonly act: PossibleAct;
  readonly order: Pick<OrderStory["order"], "external_order_id" | "status">;
  readonly onClose: () => void;
  /** @param words what has become of the order */
  readonly onDone: (words: string) => void;
}

interface Done {
  readonly result: "done" | "requested";
}

/** Acts upon one order: what it does, why it is done. A refusal is told here, and the order is as it was. */
export function ActDialog({ act, order, onClose, onDone }: Props) {
  // Of this dialog: pressed twice, or sent anew after no answer, it acts once.
  const [idempotencyKey] = useState(() => crypto.randomUUID());
  const [problem, setProblem] = useState<string | null>(null);
  const key = actKey(act);
  // As it was asked for: the order may move behind the dialog.
  const [{ label, effect, isFinal }] = useState(() => wordsOf(act, order.status));
  const acting = useMutation({
    mutationFn: (body: object) => call<Done>(act.path.slice(1), { method: "POST", body, idempotencyKey }),
    onSuccess: (done) => onDone(`${label}: ${outcomeOf(done, key)}`),
  });
  const submit = (form: HTMLFormElement): void => {
    const reason = formText(form, "reason");
    if (key === "ticketed") {
      const given = readTicketing(form);
      setProblem(given.problem);
      if (given.problem === null) acting.mutate({ reason, ticketed: true, ...given.body });
    } else acting.mutate(key === "not_ticketed" ? { reason, ticketed: false } : { reason });
  };
  return (
    <Dialog open onClose={onClose} title={`${label}: ${order.external_order_id}`} description={effect}>
      <form
        className="flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          submit(event.currentTarget);
        }}
      >
        {key === "ticketed" && <TicketingFields problem={problem} />}
        <ReasonField
          hint="Kept with the order and your name, for whoever asks later. No customers' names."
          autoFocus={key !== "ticketed"}
        />
        {acting.isError && <ProblemNotice error={acting.error} />}
        <div className="flex flex-wrap justify-end gap-2">
          <Button onClick={onClose}>Leave it</Button>
          <Button type="submit" kind={isFinal ? "danger" : "primary"} busy={acting.isPending && "Asking"}>
            {label}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function outcomeOf({ result }: Done, key: ReturnType<typeof actKey>): string {
  if (result === "requested")
    return "asked for. If the attempt in flight brings tickets, the order is ticketed all the same.";
  // What is begun may fail once more: nothing is done yet.
  return ["retry", "resend", "not_ticketed"].includes(key)
    ? "begun. The timeline shows what comes of it."
    : "done.";
}
