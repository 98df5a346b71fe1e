import type { CallbackJob, OrderStory } from "../../../api/types.ts";
import { curlOf, withoutSecrets } from "../../../format/curl.ts";
import { CopyButton, Copyable } from "../../../ui/copy.tsx";
import { Empty } from "../../../ui/empty.tsx";
import { BellIcon } from "../../../ui/icons.tsx";
import { JobBadge } from "../../../ui/status.tsx";
import { callbackHeaders } from "../attempt-headers.ts";
import { Fold } from "../fold.tsx";
import { TextBlock } from "../text-block.tsx";
import { HeaderList, Section } from "./section.tsx";
import { SignatureSteps } from "./signature-steps.tsx";

/** What the partner is told, byte for byte, and how they know who tells it. */
export function CallbackTab({ story }: { readonly story: OrderStory }) {
  if (story.callbacks.length === 0) {
    return (
      <Empty Icon={BellIcon} title="The partner has not been told anything yet">
        The callback is written when the order is ticketed: every attempt then sends the same bytes.
      </Empty>
    );
  }
  return story.callbacks.map((callback) => (
    <Event key={callback.event_id} story={story} callback={callback} />
  ));
}

function Event({ story, callback }: { readonly story: OrderStory; readonly callback: CallbackJob }) {
  const headers = callbackHeaders(story, callback);
  const url = withoutSecrets(story.order.callback_url);
  return (
    <Section
      title={`${callback.sequence}. ${callback.event}`}
      aside={
        <span className="flex flex-wrap items-center gap-2">
          <JobBadge status={callback.status} />
          <CopyButton text={curlOf({ url, headers, body: callback.body })} what={`${callback.event} as curl`}>
            Copy as curl
          </CopyButton>
        </span>
      }
    >
      <dl className="mb-3 grid grid-cols-[5rem_minmax(0,1fr)] items-baseline gap-x-3">
        <dt className="text-ink-3">To</dt>
        <dd className="font-mono text-xs wrap-anywhere">POST {url}</dd>
        <dt className="text-ink-3">Event id</dt>
        <dd>
          <Copyable text={callback.event_id} what="event id" />
        </dd>
        <dt className="text-ink-3">SHA-256</dt>
        <dd>
          <Copyable text={callback.body_sha256} what="SHA-256 of the body" />
        </dd>
      </dl>
      <TextBlock text={callback.body} what={`body of ${callback.event}`} />
      {callback.body.includes("***") && (
        <p className="mt-1 text-xs text-ink-3">
          The SHA-256 is that of the exact bytes. What is shown here hides the buyer, and is other bytes.
        </p>
      )}
      <Fold className="mt-3" summary="Headers of an attempt">
        {() => (
          <div className="ps-4.5 pt-1">
            <HeaderList
              headers={headers}
              note="The signatures are made for each attempt, and left out where there is no signing secret."
            />
          </div>
        )}
      </Fold>
      <Fold className="mt-1" summary="The signature, step by step">
        {() => <SignatureSteps callback={callback} />}
      </Fold>
    </Section>
  );
}
