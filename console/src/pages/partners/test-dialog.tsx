import { useMutation } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { call } from "../../api/client.ts";
import type { PartnerWithStanding, TestedCallback } from "../../api/types.ts";
import { duration } from "../../format/time.ts";
import { Button } from "../../ui/button.tsx";
import { Copyable } from "../../ui/copy.tsx";
import { Dialog } from "../../ui/dialog.tsx";
import { Field, Input } from "../../ui/field.tsx";
import { formText } from "../../ui/form-text.ts";
import { CheckIcon, StopIcon } from "../../ui/icons.tsx";
import { ProblemNotice } from "../../ui/notice.tsx";
import { TONES } from "../../ui/status.tsx";

interface Props {
  readonly partner: PartnerWithStanding;
  readonly onClose: () => void;
}

/** Does its endpoint take callbacks, and verify them? The whole answer is shown. */
export function TestDialog({ partner, onClose }: Props) {
  const { partner_id: id, name } = partner;
  const testing = useMutation({
    mutationFn: (url: string) =>
      call<TestedCallback>(`admin/partners/${encodeURIComponent(id)}/test-callback`, {
        method: "POST",
        body: { url },
      }),
  });
  return (
    <Dialog
      open
      wide
      onClose={onClose}
      title={`Send ${name} a test callback`}
      description="A signed wavegate.test event, through the same guard and with the same signatures as a callback. No order is touched."
    >
      <form
        className="flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          testing.mutate(formText(event.currentTarget, "url"));
        }}
      >
        <Field label="URL" hint="One of the partner's, by the rules of callback_url.">
          {(ids) => (
            <Input
              {...ids}
              name="url"
              type="url"
              required
              maxLength={2048}
              autoComplete="off"
              spellCheck={false}
              placeholder="https://partner.example.com/ota/callback"
              className="font-mono text-xs"
              autoFocus
            />
          )}
        </Field>
        {testing.isError && <ProblemNotice error={testing.error} />}
        <div aria-live="polite">{testing.data && <Result tested={testing.data} />}</div>
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Close</Button>
          <Button type="submit" kind="primary" busy={testing.isPending && "Sending"}>
            {testing.data ? "Send another" : "Send"}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function Result({ tested }: { readonly tested: TestedCallback }) {
  const { delivered, finding, code, error, duration_ms: tookMs, answer, body, event_id: event } = tested;
  const Icon = delivered ? CheckIcon : StopIcon;
  return (
    <div className="overflow-hidden rounded-md border border-line">
      <p className={`flex items-start gap-2 px-3 py-2 font-medium ${delivered ? TONES.good : TONES.stop}`}>
        <Icon className="mt-0.5 size-4" />
        <span className="wrap-anywhere">
          {delivered ? "Delivered" : "Not delivered"}: {finding}
        </span>
      </p>
      <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-1 px-3 py-2">
        <Fact label="Answer">{code === null ? "None" : <span className="num">{code}</span>}</Fact>
        {error !== null && <Fact label="Error">{error}</Fact>}
        <Fact label="Took">
          <span className="num">{tookMs === null ? "Nothing was sent" : duration(tookMs)}</span>
        </Fact>
        <Fact label="Event">
          <Copyable text={event} what="event id" />
        </Fact>
      </dl>
      <Text label="What it answered" text={answer === null || answer === "" ? null : answer} />
      <Text label="What was sent" text={body} />
    </div>
  );
}

function Fact({ label, children }: { readonly label: string; readonly children: ReactNode }) {
  return (
    <>
      <dt className="text-ink-3">{label}</dt>
      <dd className="min-w-0 wrap-anywhere">{children}</dd>
    </>
  );
}

function Text({ label, text }: { readonly label: string; readonly text: string | null }) {
  return (
    <div className="border-t border-line px-3 py-2">
      <p className="text-xs text-ink-3">{label}</p>
      {text === null ? (
        <p>Nothing</p>
      ) : (
        <pre className="font-mono text-xs wrap-anywhere whitespace-pre-wrap">{text}</pre>
      )}
    </div>
  );
}
