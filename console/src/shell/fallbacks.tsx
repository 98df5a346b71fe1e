import { Link } from "@tanstack/react-router";
import { Button } from "../ui/button.tsx";
import { Empty } from "../ui/empty.tsx";
import { DoubtIcon } from "../ui/icons.tsx";
import { Notice } from "../ui/notice.tsx";
import { Page } from "../ui/page.tsx";

export function NotFound() {
  return (
    <Page title="No such page" quiet>
      <Empty Icon={DoubtIcon} title="There is no such page">
        <Link to="/" className="text-accent underline">
          Go to the orders
        </Link>
      </Empty>
    </Page>
  );
}

/** What browsers say of a file that a page is made of and that doesn't come. */
const NO_FILE = /dynamically imported module|importing a module script/i;

/** A page that broke leaves the others as they are. */
export function PageFailed({ error }: { readonly error: unknown }) {
  const isIncomplete = error instanceof Error && NO_FILE.test(error.message);
  return (
    <Page title="This page failed" quiet>
      <Notice
        tone="stop"
        title={isIncomplete ? "A part of this page didn't come." : "Something in this page went wrong."}
        action={<Button onClick={() => location.reload()}>Reload</Button>}
      >
        {isIncomplete
          ? "The gateway doesn't answer, or has been upgraded since this page was opened."
          : "Reload the page. If it comes again, tell who runs the gateway."}
      </Notice>
    </Page>
  );
}
