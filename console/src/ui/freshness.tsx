import { gatewayTime } from "../api/gateway-clock.ts";
import { FromNow } from "./time.tsx";

/** How old the figures of a page are: they are counted every few seconds, not as orders move. */
export function Freshness({ countedAt }: { readonly countedAt: number }) {
  return (
    <p className="num min-w-32 text-end text-xs text-ink-3">
      {countedAt === 0 ? (
        "Not counted yet"
      ) : (
        <>
          Counted <FromNow at={new Date(gatewayTime(countedAt)).toISOString()} />
        </>
      )}
    </p>
  );
}
