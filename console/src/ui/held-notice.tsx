import { Notice } from "./notice.tsx";

/** Why nothing moves, on every page but the overview, which knows more. */
export function HeldNotice() {
  return (
    <Notice tone="wait" title="The gateway is held: orders are accepted and shown, and nothing is worked.">
      Whoever holds it lifts it with <code>wavegate release</code>. The overview says who and why.
    </Notice>
  );
}
