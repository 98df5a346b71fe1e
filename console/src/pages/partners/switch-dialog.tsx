import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "../../api/client.ts";
import { partnerQuery, partnersQuery } from "../../api/page-queries.ts";
import type { PartnerWithStanding } from "../../api/types.ts";
import { Button } from "../../ui/button.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { formText } from "../../ui/form-text.ts";
import { ProblemNotice } from "../../ui/notice.tsx";
import { ReasonField } from "../../ui/reason-field.tsx";

interface Props {
  readonly partner: PartnerWithStanding;
  readonly onClose: () => void;
}

const WORDS = {
  disable: {
    means:
      "From now on its requests are answered with 401, in every process. Orders that were accepted run to their end, and it is told of them.",
    busy: "Disabling",
  },
  enable: {
    means: "It is let in again at once, with the token that it had.",
    busy: "Enabling",
  },
} as const;

/** Lets a partner in, or no more, once somebody has said why. */
export function SwitchDialog({ partner, onClose }: Props) {
  const { partner_id: id, name } = partner;
  const queries = useQueryClient();
  // As it was when it was asked: what it is now may change below.
  const [verb] = useState(partner.state === "enabled" ? ("disable" as const) : ("enable" as const));
  const switching = useMutation({
    mutationFn: (reason: string) =>
      call(`admin/partners/${encodeURIComponent(id)}/${verb}`, { method: "POST", body: { reason } }),
    async onSuccess() {
      await Promise.all([
        queries.invalidateQueries({ queryKey: partnerQuery(id).queryKey }),
        queries.invalidateQueries({ queryKey: partnersQuery.queryKey }),
      ]);
      onClose();
    },
  });
  const { means, busy } = WORDS[verb];
  const act = verb === "disable" ? "Disable" : "Enable";
  return (
    <Dialog open onClose={onClose} title={`${act} ${name}`} description={means}>
      <form
        className="flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          switching.mutate(formText(event.currentTarget, "reason"));
        }}
      >
        <ReasonField hint="Kept in the audit log, with your name." />
        {switching.isError && <ProblemNotice error={switching.error} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Leave it</Button>
          <Button
            type="submit"
            kind={verb === "disable" ? "danger" : "primary"}
            busy={switching.isPending && busy}
          >
            {act} it
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
