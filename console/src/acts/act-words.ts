import type { OrderStatus, Verdict } from "../api/types.ts";

/** What the gateway says can be done about an order now. */
export type PossibleAct = Verdict["actions"][number];

const KEYS = ["retry", "resend", "ticketed", "not_ticketed", "cancel", "close"] as const;
type ActKey = (typeof KEYS)[number];

interface Words {
  readonly label: string;
  /** What it does, before anybody does it. */
  readonly effect: string;
  /** True: there is no way back. */
  readonly isFinal: boolean;
}

const WORDS: Record<ActKey, Words> = {
  retry: {
    label: "Retry ticketing",
    effect: "A new run of attempts begins at once. Ticketing gets the same Idempotency-Key as before.",
    isFinal: false,
  },
  resend: {
    label: "Resend callback",
    effect: "The same event is sent again, byte for byte, under the same event id.",
    isFinal: false,
  },
  ticketed: {
    label: "Enter tickets",
    effect:
      "The codes are stored as the order's tickets, and the partner is told. Ticketing is not called any more.",
    isFinal: false,
  },
  not_ticketed: {
    label: "Not ticketed: ask again",
    effect:
      "You say that ticketing has issued nothing. It is asked again at once, with the same Idempotency-Key.",
    isFinal: false,
  },
  cancel: {
    label: "Cancel order",
    effect:
      "No tickets are bought any more. An attempt in flight is not revoked: if it brings tickets, the order is ticketed all the same. What is cancelled stays cancelled.",
    isFinal: true,
  },
  close: {
    label: "Close order",
    effect:
      "It was settled outside of the gateway: nothing more is done or told. What is closed stays closed.",
    isFinal: true,
  },
};

/** Both answers of ticketing are the action `resolve`: its command tells them apart. */
export function actKey({ action, command }: PossibleAct): ActKey {
  if (action !== "resolve") return action;
  return command.includes(" --not-ticketed") ? "not_ticketed" : "ticketed";
}

export function wordsOf(act: PossibleAct, status: OrderStatus): Words {
  const key = actKey(act);
  if (key !== "retry" || !status.startsWith("ota_callback")) return WORDS[key];
  return {
    ...WORDS.retry,
    label: "Retry callback",
    effect: "A new run of attempts begins at once: the same event, byte for byte, under the same event id.",
  };
}
