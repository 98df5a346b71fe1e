import type { OrderStory } from "../../../api/types.ts";
import { TextBlock } from "../text-block.tsx";
import { Section } from "./section.tsx";

/** What the partner sent, as it was received. */
export function PayloadTab({ story }: { readonly story: OrderStory }) {
  return (
    <Section>
      <TextBlock text={story.payload} what="payload" />
    </Section>
  );
}
