import { Outlet } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";
import { OpenBulkJob } from "../acts/open-bulk-job.tsx";
import { useKeepAwake } from "../session/keep-awake.ts";
import { useKeys } from "../ui/keys.ts";
import { Banners } from "./banners.tsx";
import { usePreloadedPages } from "./preload.ts";
import { SkipLink } from "./skip-link.tsx";
import { TopBar } from "./top-bar.tsx";

const KeyHelp = lazy(() => import("./key-help.tsx").then(({ KeyHelp }) => ({ default: KeyHelp })));

/** What surrounds every page. */
export function Shell() {
  const [isHelpOpen, setHelpOpen] = useState(false);
  useKeepAwake();
  usePreloadedPages();
  useKeys({
    "?": () => setHelpOpen(true),
    "/": (event) => {
      event.preventDefault();
      document.getElementById("search")?.focus();
    },
  });
  return (
    <div className="flex min-h-dvh flex-col">
      <SkipLink />
      <TopBar onHelp={() => setHelpOpen(true)} />
      <Banners />
      <Outlet />
      <OpenBulkJob />
      <Suspense>{isHelpOpen && <KeyHelp onClose={() => setHelpOpen(false)} />}</Suspense>
    </div>
  );
}
