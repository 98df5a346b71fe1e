import { Link } from "@tanstack/react-router";
import { Empty } from "../ui/empty.tsx";
import { DoubtIcon } from "../ui/icons.tsx";
import { ProblemNotice } from "../ui/notice.tsx";
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

/** A page that broke leaves the others as they are. */
export function PageFailed({ error, onRetry }: { readonly error: unknown; readonly onRetry: () => void }) {
  return (
    <Page title="This page failed" quiet>
      <ProblemNotice error={error} onRetry={onRetry} />
    </Page>
  );
}
