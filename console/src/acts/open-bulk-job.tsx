import { useNavigate, useSearch } from "@tanstack/react-router";
import { lazy, Suspense } from "react";

const BulkJobDialog = lazy(() =>
  import("./bulk-job-dialog.tsx").then(({ BulkJobDialog }) => ({ default: BulkJobDialog })),
);

/** The bulk job that the address names (`?bulk=7`), above whatever page it is: a reload, or a link, opens it again. */
export function OpenBulkJob() {
  const { bulk } = useSearch({ from: "__root__" });
  const navigate = useNavigate();
  const close = () =>
    navigate({ to: ".", search: (before) => ({ ...before, bulk: undefined }), replace: true });
  return (
    <Suspense>
      {bulk !== undefined && <BulkJobDialog key={bulk} id={bulk} onClose={() => void close()} />}
    </Suspense>
  );
}
