import { Outlet } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";
import { OpenBulkJob } from "../acts/open-bulk-job.tsx";
import { useHeld } from "../live/use-live.ts";
import { Notice } from "../ui/notice.tsx";
import { useKeys } from "../ui/keys.ts";
import { TopBar } from "./top-bar.tsx";

const KeyHelp = lazy(() => import("./key-help.tsx").then(({ KeyHelp }) => ({ default: KeyHelp })));

/** What surrounds every page. */
export function Shell() {
  const [isHelpOpen, setHelpOpen] = useState(false);
  const isHeld = useHeld();
  useKeys({
    "?": () => setHelpOpen(true),
    "/": (event) => {
      event.preventDefault();
      document.getElementById("search")?.focus();
    },
  });
  return (
    <div className="flex min-h-dvh flex-col">
      <a
        href="#content"
        className="absolute start-2 -top-12 z-50 rounded bg-accent px-3 py-2 text-accent-ink focus:top-2"
      >
        Skip to content
      </a>
      <TopBar onHelp={() => setHelpOpen(true)} />
      {isHeld && (
        <div className="px-3 pt-3 sm:px-5">
          <Notice
            tone="wait"
            title="The gateway is held: orders are accepted and shown, and nothing is worked."
          >
            Whoever holds it lifts it with <code>wavegate release</code>. The overview says who and why.
          </Notice>
        </div>
      )}
      <Outlet />
      <OpenBulkJob />
      <Suspense>{isHelpOpen && <KeyHelp onClose={() => setHelpOpen(false)} />}</Suspense>
    </div>
  );
}
