import type { PartnerWithStanding } from "../../api/types.ts";
import { CancelledIcon, StopIcon, WorkIcon } from "../../ui/icons.tsx";
import { Badge } from "../../ui/status.tsx";
import { Time } from "../../ui/time.tsx";

/** Enabled is how a partner should be: it takes no colour. */
export function PartnerState({ state, development }: Pick<PartnerWithStanding, "state" | "development">) {
  if (state === "disabled") {
    return (
      <Badge tone="wait" Icon={CancelledIcon}>
        Disabled
      </Badge>
    );
  }
  if (development) {
    return (
      <Badge tone="rest" Icon={WorkIcon} title="Known to wavegate serve --dev alone">
        Development
      </Badge>
    );
  }
  return <span className="text-ink-3">Enabled</span>;
}

/** How its callbacks go. */
export function CallbackCircuit({ circuit }: Pick<PartnerWithStanding, "circuit">) {
  if (circuit === null) return <span className="text-ink-3">Going out</span>;
  return (
    <span className="inline-flex items-center gap-1.5 whitespace-nowrap">
      <Badge tone="stop" Icon={StopIcon} {...(circuit.reason !== null && { title: circuit.reason })}>
        Held back
      </Badge>
      <span className="text-xs text-ink-2">
        since <Time at={circuit.opened_at} />
      </span>
    </span>
  );
}

/** Whether somebody should look at it. */
export function isInTrouble({ stopped, circuit }: PartnerWithStanding): boolean {
  return circuit !== null || stopped.ticketing > 0 || stopped.callbacks > 0;
}
