import * as Radix from "@radix-ui/react-dialog";
import { type ReactNode, useState } from "react";
import { CrossIcon } from "./icons.tsx";

interface Props {
  readonly open: boolean;
  readonly onClose: () => void;
  readonly title: string;
  readonly description?: ReactNode;
  readonly children: ReactNode;
  readonly wide?: boolean;
}

/** Asks or tells something before the page goes on. Escape and a click beside it close it; focus returns to where it was. */
export function Dialog({ open, onClose, title, description, children, wide = false }: Props) {
  // What has it now: a dialog comes with what opens it, and not before.
  const [opener] = useState(() => document.activeElement);
  return (
    <Radix.Root open={open} onOpenChange={(isOpen) => !isOpen && onClose()}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 bg-shade" />
        <Radix.Content
          onCloseAutoFocus={(event) => {
            event.preventDefault();
            focusAgain(opener);
          }}
          {...(description === undefined && { "aria-describedby": undefined })}
          className={`fixed top-1/2 left-1/2 z-50 max-h-[92dvh] w-[calc(100vw-1.5rem)] -translate-x-1/2 -translate-y-1/2 overflow-y-auto rounded-lg border border-line bg-raised p-5 shadow-raised ${wide ? "max-w-2xl" : "max-w-md"}`}
        >
          <div className="flex items-start justify-between gap-3">
            <Radix.Title className="min-w-0 text-lg font-semibold wrap-anywhere">{title}</Radix.Title>
            <Radix.Close
              aria-label="Close"
              className="-m-1 grid size-7 place-items-center rounded text-ink-3 hover:bg-hover hover:text-ink"
            >
              <CrossIcon />
            </Radix.Close>
          </div>
          {description !== undefined && (
            <Radix.Description asChild>
              <div className="mt-1 text-ink-2">{description}</div>
            </Radix.Description>
          )}
          <div className="mt-4">{children}</div>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

/** Where it was; if that is gone, or was nowhere, where the page begins. */
function focusAgain(opener: Element | null): void {
  const isThere = opener instanceof HTMLElement && opener.isConnected && opener !== document.body;
  (isThere ? opener : document.getElementById("content"))?.focus();
}
