import type { ReactNode } from "react";
import type { CallbackJob } from "../../../api/types.ts";
import { count } from "../../../format/words.ts";

/** How a partner checks this very callback. No secret is known here: what depends on it stands in angle brackets. */
export function SignatureSteps({ callback }: { readonly callback: CallbackJob }) {
  const bytes = new TextEncoder().encode(callback.body).length;
  const isMasked = callback.body.includes("***");
  return (
    <div className="ps-4.5 pt-1 text-ink-2">
      <ol className="list-decimal space-y-2 ps-5">
        <li>
          Take the body as the bytes that arrived, before anything parses it
          {isMasked ? "." : `: ${count(bytes)} of them.`} Their SHA-256 is
          <Value>{callback.body_sha256}</Value>
        </li>
        <li>
          Refuse it if <code>webhook-timestamp</code> is more than five minutes away from the clock. Each
          attempt has its own.
        </li>
        <li>
          Take the key: what follows <code>whsec_</code> in the partner's signing secret, decoded from base64.
          A secret without <code>whsec_</code> is its own bytes.
        </li>
        <li>
          Put together what is signed, with a dot between the parts
          <Value>
            {callback.event_id}.&lt;webhook-timestamp&gt;.{callback.body.slice(0, 48)}
            {callback.body.length > 48 && "…"}
          </Value>
        </li>
        <li>
          Compute <code>base64(HMAC-SHA256(key, signed))</code>, and compare it, in constant time, with what
          follows <code>v1,</code> in each signature of <code>webhook-signature</code>. One that is equal is
          enough: while a secret is being replaced there are two.
        </li>
        <li>
          Do nothing twice for one <code>webhook-id</code>: this event's is <code>{callback.event_id}</code>{" "}
          on every attempt.
        </li>
      </ol>
      <p className="mt-2">
        <code>X-Callback-Signature</code> is the hex HMAC-SHA256 of the body alone. Programs that check all
        this are in "Verify a callback" (docs/verify-a-callback.md); <code>wavegate partner test</code> sends
        a signed callback to try them with.
      </p>
    </div>
  );
}

function Value({ children }: { readonly children: ReactNode }) {
  return <code className="mt-1 block rounded bg-page px-2 py-1 text-xs wrap-anywhere">{children}</code>;
}
