import { API_BASE } from "../../api/client.ts";
import { useSession } from "../../session/session.ts";
import { CopyButton } from "../../ui/copy.tsx";
import { Empty } from "../../ui/empty.tsx";
import { InboxIcon } from "../../ui/icons.tsx";

/** An order to paste into a shell, as `serve --dev` prints it. */
function curlOf(isDevelopment: boolean): string {
  const order = {
    external_order_id: "EXT-1",
    callback_url: "https://webhook.site/<your-id>",
    items: [{ sku: "ADULT-DAY", qty: 2, unit_price_minor: 129_900, currency: "THB" }],
    buyer: { name: "Alex" },
  };
  const [id, token] = isDevelopment ? ["demo", "demotoken"] : ["<its id>", "<its token>"];
  return [
    `curl -X POST ${new URL("orders", API_BASE).href}`,
    `-H 'Content-Type: application/json'`,
    `-H 'X-Partner-Id: ${id}'`,
    `-H 'X-Partner-Token: ${token}'`,
    `-d '{${Object.entries(order)
      // A line that is too long breaks between its members.
      .map(([name, value]) => `"${name}": ${JSON.stringify(value).replaceAll(',"', ', "')}`)
      .join(",\n        ")}}'`,
  ].join(" \\\n    ");
}

export function FirstOrder() {
  const { development } = useSession();
  const curl = curlOf(development);
  return (
    <Empty Icon={InboxIcon} title="No order has come yet">
      <p className="mb-3">
        {development
          ? "This makes the first one. serve --dev has printed a callback_url that answers."
          : "A partner makes the first one, with its id and token."}
      </p>
      <pre className="mb-3 wrap-anywhere whitespace-pre-wrap rounded-md border border-line bg-page p-3 text-start font-mono text-xs">
        {curl}
      </pre>
      <CopyButton text={curl} what="the command">
        Copy
      </CopyButton>
    </Empty>
  );
}
