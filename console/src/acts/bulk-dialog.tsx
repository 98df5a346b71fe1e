import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import type { BulkAction } from "../../../src/orders/bulk.ts";
import { ApiProblem, call } from "../api/client.ts";
import type { Query } from "../search/query-string.ts";
import { bulkJobsQuery } from "../api/bulk-queries.ts";
import type { BulkJob, OrderStatus } from "../api/types.ts";
import { count, counted } from "../format/words.ts";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Field, Input } from "../ui/field.tsx";
import { formText } from "../ui/form-text.ts";
import { Notice, ProblemNotice } from "../ui/notice.tsx";
import { ReasonField } from "../ui/reason-field.tsx";
import { BULK_WORDS } from "./bulk-words.ts";

interface Props {
  readonly action: BulkAction;
  /** Which orders: filters of `GET /admin/orders`, at least one; also `{ id: [...] }`, a thousand at most. */
  readonly filter: Query;
  readonly title: string;
  readonly onClose: () => void;
  /** It has begun: what was marked for it needn't be any more. Called after `onClose`. */
  readonly onStarted?: () => void;
}

interface Counted {
  readonly count: number;
  readonly possible: number;
  readonly at_least: boolean;
}

/**
 * Acts upon all orders of a filter: how many they are, then why, then it begins. What has begun is the server's: this dialog closes,
 * and the address of the page (`?bulk=`) opens its progress, on any page and after a reload too.
 */
export function BulkDialog({ action, filter, title, onClose, onStarted }: Props) {
  const counting = useDryRun(action, filter);
  return (
    <Dialog open onClose={onClose} title={title} description={BULK_WORDS[action].meaning}>
      {counting.isError && <ProblemNotice error={counting.error} onRetry={() => void counting.refetch()} />}
      {counting.isPending && <p className="min-h-12 text-ink-2">Counting the orders.</p>}
      {counting.data && <CountSentence action={action} {...counting.data} />}
      {action === "retry" && <Doubt filter={filter} />}
      {counting.data && counting.data.possible > 0 && (
        <BulkForm
          {...{ action, filter, onClose, onStarted }}
          counted={counting.data}
          recount={async () => (await counting.refetch({ throwOnError: true })).data!}
        />
      )}
    </Dialog>
  );
}

/** How many there are, and to how many it can be done. It is decided upon: never an old count. */
function useDryRun(action: BulkAction, filter: Query, isWanted = true) {
  return useQuery({
    queryKey: ["bulk-count", action, filter],
    queryFn: ({ signal }) =>
      call<Counted>("admin/bulk", {
        method: "POST",
        body: { action, filter, reason: "counted in the console", dry_run: true },
        signal,
      }),
    enabled: isWanted,
    staleTime: 0,
    gcTime: 0,
  });
}

const UNKNOWN: OrderStatus = "ticketing_unknown";

/** Some may have been bought already: only who knows ticketing knows whether they may be asked for again. */
function Doubt({ filter }: { readonly filter: Query }) {
  const { status = UNKNOWN } = filter;
  const mayBeThere = [status].flat().includes(UNKNOWN);
  const { data } = useDryRun("retry", { ...filter, status: [UNKNOWN] }, mayBeThere);
  if (!data || data.count === 0) return null;
  return (
    <div className="mt-3">
      <Notice tone="doubt" title={`Of ${counted(data.count, "order")} the outcome is unknown`}>
        Ticketing may have bought the tickets. Asking again can’t buy twice only if it honours the
        Idempotency-Key. Otherwise resolve these one by one first.
      </Notice>
    </div>
  );
}

function CountSentence({
  action,
  count: all,
  possible,
  at_least,
}: Counted & { readonly action: BulkAction }) {
  const { done } = BULK_WORDS[action];
  const more = at_least ? "At least " : "";
  const rest = all - possible;
  return (
    <p className="num min-h-12">
      <strong className="text-base font-semibold">
        {more}
        {counted(all, "order")} {all === 1 ? "matches" : "match"}, {count(possible)} can be {done}
      </strong>
      <br />
      <span className="text-ink-2">
        {possible === 0
          ? "As they stand now, there is nothing to do."
          : rest > 0
            ? `The other ${count(rest)} stand where that can't be done, and stay as they are.`
            : "Each is looked at once more when its turn comes."}
      </span>
    </p>
  );
}

interface FormProps extends Pick<Props, "action" | "filter" | "onClose"> {
  readonly onStarted: Props["onStarted"] | undefined;
  readonly counted: Counted;
  /** Shows how many they are by now, too. @throws ApiProblem */
  readonly recount: () => Promise<Counted>;
}

function BulkForm({ action, filter, counted: found, recount, onClose, onStarted }: FormProps) {
  const navigate = useNavigate();
  const queries = useQueryClient();
  // Of this dialog: pressed twice, or sent anew after no answer, it still makes one job.
  const [idempotencyKey] = useState(() => crypto.randomUUID());
  const starting = useMutation({
    mutationFn: async ({ reason, pace }: { readonly reason: string; readonly pace: string }) => {
      // Orders come while one thinks of a reason: none is acted upon that nobody counted.
      const { possible } = await recount();
      if (possible > found.possible) throw new ApiProblem(409, grownTo(possible));
      return call<BulkJob>("admin/bulk", {
        method: "POST",
        body: { action, filter, reason, ...(pace !== "" && { pace_per_sec: Number(pace) }) },
        idempotencyKey,
      });
    },
    onSuccess: ({ id }) => {
      void queries.invalidateQueries({ queryKey: bulkJobsQuery.queryKey });
      onClose();
      onStarted?.();
      return navigate({ to: ".", search: (before) => ({ ...before, bulk: id }) });
    },
  });
  const { verb, isFinal } = BULK_WORDS[action];
  return (
    <form
      className="mt-4 flex flex-col gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        const form = event.currentTarget;
        starting.mutate({ reason: formText(form, "reason"), pace: formText(form, "pace") });
      }}
    >
      <ReasonField hint="Kept with each order and your name, for whoever asks later. No customers' names." />
      <Field label="Orders per second" hint="Left empty, the gateway takes as many as it can call at a time.">
        {(ids) => (
          <Input {...ids} name="pace" type="number" min={0.1} max={1000} step={0.1} className="max-w-32" />
        )}
      </Field>
      {starting.isError && <ProblemNotice error={starting.error} />}
      <div className="flex justify-end gap-2">
        <Button onClick={onClose}>Leave it</Button>
        <Button type="submit" kind={isFinal ? "danger" : "primary"} busy={starting.isPending && "Starting"}>
          {verb} {found.at_least && "at least "}
          {counted(found.possible, "order")}
        </Button>
      </div>
    </form>
  );
}

const grownTo = (possible: number): string =>
  `Nothing has begun: it is ${counted(possible, "order")} by now. Press again if all of them are meant.`;
