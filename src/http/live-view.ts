import { type Static, Type } from "typebox";
import { isoTime } from "../lib/iso-time.ts";
import { ORDER_STATUSES } from "../orders/states.ts";
import type { LiveEvent, LiveLook } from "../pipeline/live.ts";

const At = Type.String({ format: "date-time", description: "when it was looked at" });

/** The data of `event: look`. */
const LiveLookView = Type.Object({
  at: At,
  orders: Type.Array(
    Type.Object({
      id: Type.Integer(),
      status: Type.Enum([...ORDER_STATUSES]),
      came: Type.Boolean({ description: "accepted since the look before; otherwise changed since" }),
    }),
  ),
  more: Type.Boolean({ description: "there were more than are named" }),
  held: Type.Boolean({ description: "somebody holds the gateway: nothing is worked" }),
  ticketing_fails: Type.Boolean({
    description: "ticketing fails for every order: its circuit is open, and holds them back",
  }),
});
export type LiveLookView = Static<typeof LiveLookView>;

/** The data of `event: trouble`. */
const LiveTroubleView = Type.Object({ at: At, detail: Type.String() });
export type LiveTroubleView = Static<typeof LiveTroubleView>;

/** The data of `event: end`, which is the last. */
const LiveEndView = Type.Object({ reason: Type.Enum(["signed_out", "closing"]) });
export type LiveEndView = Static<typeof LiveEndView>;

export interface LastEvent {
  readonly kind: LiveEndView["reason"];
}

const DETAIL = "the database can't be read at the moment";

/** One event of a stream, as it is written (HTML Living Standard, section 9.2). */
export function liveText(event: LiveEvent | LastEvent): string {
  switch (event.kind) {
    case "look":
      return written("look", lookView(event));
    case "trouble":
      return written("trouble", { at: isoTime(event.at), detail: DETAIL } satisfies LiveTroubleView);
    case "closing":
    case "signed_out":
      return written("end", { reason: event.kind } satisfies LiveEndView);
  }
}

function lookView({ at, orders, more, held, ticketingFails }: LiveLook): LiveLookView {
  return { at: isoTime(at), orders: [...orders], more, held, ticketing_fails: ticketingFails };
}

const written = (name: string, data: object): string => `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
