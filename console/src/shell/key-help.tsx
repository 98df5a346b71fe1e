import { useMayAct } from "../session/session.ts";
import { Dialog } from "../ui/dialog.tsx";

const KEYS = [
  ["/", "Search everything"],
  ["j  k", "Next, previous row"],
  ["Enter", "Open the row"],
] as const;
/** For those who may act. */
const ACT_KEYS = [
  ["x", "Mark the row; Esc unmarks all"],
  ["r", "Retry the order, the group or what is marked"],
] as const;
const MORE_KEYS = [
  ["n", "Show what is new"],
  ["p", "Pause live updates, and go on"],
  ["Esc", "Close a dialog or menu, leave the search"],
  ["?", "This help"],
] as const;

export function KeyHelp({ onClose }: { readonly onClose: () => void }) {
  const keys = [...KEYS, ...(useMayAct() ? ACT_KEYS : []), ...MORE_KEYS];
  return (
    <Dialog open onClose={onClose} title="Keys">
      <dl className="grid grid-cols-[auto_1fr] items-center gap-x-4 gap-y-2">
        {keys.map(([key, what]) => (
          <div key={key} className="contents">
            <dt>
              {key.split("  ").map((each) => (
                <kbd
                  key={each}
                  className="me-1 rounded border border-line-strong px-1.5 py-0.5 font-mono text-xs"
                >
                  {each}
                </kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
