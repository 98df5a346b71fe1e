import { API_BASE } from "../../api/client.ts";
import { CopyButton, Copyable } from "../../ui/copy.tsx";
import { Empty } from "../../ui/empty.tsx";
import { PersonIcon } from "../../ui/icons.tsx";

const COMMAND = "wavegate partner add wave-tours --name 'Wave Tours'";

/** Nobody may send orders yet: how the first one is let in. */
export function NoPartners() {
  const curl = `curl -X POST ${new URL("admin/partners", API_BASE).href} -H 'authorization: Bearer <operator token>' -H 'content-type: application/json' -d '{"partner_id":"wave-tours","name":"Wave Tours"}'`;
  return (
    <Empty Icon={PersonIcon} title="No partner may send orders yet">
      <p>A partner is added on the command line, or by the API. Its token is shown once.</p>
      <div className="mt-3 flex flex-wrap items-center justify-center gap-3">
        <Copyable text={COMMAND} what="command" />
        <CopyButton text={curl} what="curl">
          As curl
        </CopyButton>
      </div>
    </Empty>
  );
}
