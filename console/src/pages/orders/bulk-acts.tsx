import { BulkButton } from "./bulk-button.tsx";
import { BulkStrip } from "./bulk-strip.tsx";

/** What of bulk acts the page shows by itself. Loaded after all else. */
export function BulkActs() {
  return (
    <>
      <BulkButton />
      <BulkStrip />
    </>
  );
}
