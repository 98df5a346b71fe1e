import type { ComponentType } from "react";
import type { JobStatus, OrderStatus } from "../api/types.ts";
import {
  CancelledIcon,
  CheckIcon,
  ClockIcon,
  ClosedIcon,
  DoubtIcon,
  InboxIcon,
  StopIcon,
  TicketIcon,
  WorkIcon,
} from "./icons.tsx";

/** What a status means for whoever looks: its colour, in which it is never shown alone. */
export type Tone = "good" | "work" | "wait" | "stop" | "doubt" | "rest";

export const TONES: Record<Tone, string> = {
  good: "bg-good-soft text-good",
  work: "bg-work-soft text-work",
  wait: "bg-wait-soft text-wait",
  stop: "bg-stop-soft text-stop",
  doubt: "bg-doubt-soft text-doubt",
  rest: "bg-rest-soft text-rest",
};
export const TONE_TEXT: Record<Tone, string> = {
  good: "text-good",
  work: "text-work",
  wait: "text-wait",
  stop: "text-stop",
  doubt: "text-doubt",
  rest: "text-rest",
};

interface Look {
  readonly word: string;
  readonly tone: Tone;
  readonly Icon: ComponentType<{ readonly className?: string }>;
}

/** In the order of an order's way; what needs somebody has the tone `stop` or `doubt`. */
export const STATUS: Record<OrderStatus, Look> = {
  accepted: { word: "Accepted", tone: "work", Icon: InboxIcon },
  ticketing_processing: { word: "Ticketing", tone: "work", Icon: WorkIcon },
  ticketing_blocked: { word: "Ticketing blocked", tone: "stop", Icon: StopIcon },
  ticketing_exhausted: { word: "Ticketing gave up", tone: "stop", Icon: StopIcon },
  ticketing_unknown: { word: "Outcome unknown", tone: "doubt", Icon: DoubtIcon },
  ticketed: { word: "Ticketed", tone: "work", Icon: TicketIcon },
  ota_callback_pending: { word: "Telling partner", tone: "work", Icon: WorkIcon },
  ota_callback_blocked: { word: "Callback blocked", tone: "stop", Icon: StopIcon },
  ota_callback_exhausted: { word: "Callback gave up", tone: "stop", Icon: StopIcon },
  ota_callback_delivered: { word: "Delivered", tone: "good", Icon: CheckIcon },
  cancelled: { word: "Cancelled", tone: "rest", Icon: CancelledIcon },
  closed: { word: "Closed", tone: "rest", Icon: ClosedIcon },
};

const JOB_STATUS: Record<JobStatus, Look> = {
  pending: { word: "Waiting", tone: "wait", Icon: ClockIcon },
  running: { word: "In flight", tone: "work", Icon: WorkIcon },
  succeeded: { word: "Done", tone: "good", Icon: CheckIcon },
  blocked: { word: "Blocked", tone: "stop", Icon: StopIcon },
  exhausted: { word: "Gave up", tone: "stop", Icon: StopIcon },
  unknown: { word: "Unknown", tone: "doubt", Icon: DoubtIcon },
  cancelled: { word: "Cancelled", tone: "rest", Icon: CancelledIcon },
  closed: { word: "Closed", tone: "rest", Icon: ClosedIcon },
};

/**
 * An order's status: icon, word and colour. The contract's own name for it shows on hovering.
 *
 * @param retrying an attempt has failed and another is due: told apart from one that is only under way
 */
export function StatusBadge({
  status,
  retrying = false,
}: {
  readonly status: OrderStatus;
  readonly retrying?: boolean;
}) {
  const { word, tone, Icon } = STATUS[status];
  const isWaiting = retrying && tone === "work";
  return (
    <Badge tone={isWaiting ? "wait" : tone} Icon={isWaiting ? ClockIcon : Icon} title={status}>
      {isWaiting ? `${word}, retrying` : word}
    </Badge>
  );
}

/** An attempt has failed, and another is due. */
export function isRetrying(order: {
  readonly run_attempts: number;
  readonly next_attempt_at: string | null;
}): boolean {
  return order.run_attempts > 0 && order.next_attempt_at !== null;
}

export function JobBadge({ status }: { readonly status: JobStatus }) {
  const { word, tone, Icon } = JOB_STATUS[status];
  return (
    <Badge tone={tone} Icon={Icon} title={status}>
      {word}
    </Badge>
  );
}

interface BadgeProps {
  readonly tone: Tone;
  readonly Icon?: Look["Icon"];
  readonly title?: string;
  readonly children: string;
}

export function Badge({ tone, Icon, title, children }: BadgeProps) {
  return (
    <span
      title={title}
      className={`inline-flex items-center gap-1 rounded px-1.5 py-px text-xs font-medium whitespace-nowrap ${TONES[tone]}`}
    >
      {Icon && <Icon className="size-3.5" />}
      {children}
    </span>
  );
}
