import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "../api/client.ts";
import { bulkJobsQuery } from "../api/bulk-queries.ts";
import { Button } from "../ui/button.tsx";
import { formText } from "../ui/form-text.ts";
import { ProblemNotice } from "../ui/notice.tsx";
import { ReasonField } from "../ui/reason-field.tsx";

/** Ends a bulk job where it is, once somebody has said why. */
export function BulkStop({ id }: { readonly id: number }) {
  const queries = useQueryClient();
  const [isAsking, setAsking] = useState(false);
  const stopping = useMutation({
    mutationFn: (reason: string) => call(`admin/bulk/${id}/cancel`, { method: "POST", body: { reason } }),
    // Also after a refusal: it may have been done by then.
    onSettled: () => queries.invalidateQueries({ queryKey: bulkJobsQuery.queryKey }),
  });
  if (!isAsking) return <Button onClick={() => setAsking(true)}>Stop it here</Button>;
  return (
    <form
      className="flex w-full flex-col gap-2 rounded-md border border-line p-3"
      onSubmit={(event) => {
        event.preventDefault();
        stopping.mutate(formText(event.currentTarget, "reason"));
      }}
    >
      <ReasonField label="Why it ends here" hint="What it has done stays. What had no turn stays as it is." />
      {stopping.isError && <ProblemNotice error={stopping.error} />}
      <div className="flex justify-end gap-2">
        <Button onClick={() => setAsking(false)}>Let it go on</Button>
        <Button type="submit" kind="danger" busy={stopping.isPending && "Stopping"}>
          Stop it
        </Button>
      </div>
    </form>
  );
}
