import type { OrderStory } from "../../../api/types.ts";
import { curlOf } from "../../../format/curl.ts";
import { CopyButton } from "../../../ui/copy.tsx";
import { Notice } from "../../../ui/notice.tsx";
import { ticketingHeaders } from "../attempt-headers.ts";
import { TextBlock } from "../text-block.tsx";
import { HeaderList, Section } from "./section.tsx";

/** What ticketing would be sent now: the payload, put through the mapping. */
export function RequestTab({ story }: { readonly story: OrderStory }) {
  const { body, problem } = story.request;
  if (body === null) {
    return (
      <Section>
        <Notice tone="doubt" title="Nothing could be sent to ticketing">
          {problem}
        </Notice>
      </Section>
    );
  }
  const headers = ticketingHeaders(story);
  const curl = curlOf({ url: "<TICKETING_URL>", headers, body });
  return (
    <>
      <Section
        title="Headers"
        aside={
          <CopyButton text={curl} what="request to ticketing as curl">
            Copy as curl
          </CopyButton>
        }
      >
        <HeaderList
          headers={headers}
          note="The address is TICKETING_URL; authorization is sent where TICKETING_AUTHORIZATION is set."
        />
      </Section>
      <Section title="Body">
        <p className="mb-2 text-ink-2">
          As an attempt made now would send it, by the mapping that is in force.
        </p>
        <TextBlock text={body} what="mapped request" />
      </Section>
    </>
  );
}
