import { Link } from "@tanstack/react-router";
import type { PartnerWithStanding } from "../../api/types.ts";
import { Notice } from "../../ui/notice.tsx";
import { Time } from "../../ui/time.tsx";

/** What has to be known of a partner before all else. */
export function PartnerNotices({ partner }: { readonly partner: PartnerWithStanding }) {
  const { partner_id: id, disabled_at: disabledAt, circuit } = partner;
  return (
    <>
      {disabledAt !== null && (
        <Notice
          tone="wait"
          title={
            <>
              Disabled since <Time at={disabledAt} />
            </>
          }
        >
          Its new requests are answered with 401. Orders that were accepted run to their end.
        </Notice>
      )}
      {circuit !== null && (
        <Notice
          tone="stop"
          title={
            <>
              Its callbacks are held back since <Time at={circuit.opened_at} />: they failed for every order
            </>
          }
        >
          {circuit.reason !== null && <p className="first-letter:uppercase">{circuit.reason}</p>}
          <p>
            One after another is tried; when one is taken, all go out. They spend no attempts meanwhile.{" "}
            <Link
              to="/"
              search={{ partner: id, status: ["ota_callback_pending"] }}
              className="text-ink underline"
            >
              Orders that wait
            </Link>
          </p>
        </Notice>
      )}
    </>
  );
}
