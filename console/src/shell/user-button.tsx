import { lazy, Suspense, useState } from "react";
import { useSession } from "../session/session.ts";
import { PersonIcon } from "../ui/icons.tsx";

const load = () => import("./user-menu.tsx");
const UserMenu = lazy(() => load().then(({ UserMenu }) => ({ default: UserMenu })));

const SHAPE = "flex size-8 shrink-0 items-center justify-center rounded-md text-ink-2 hover:bg-hover";

/** The menu is loaded when somebody wants it: it would be a fifth of the first load. */
export function UserButton({ onHelp }: { readonly onHelp: () => void }) {
  const { name, role } = useSession();
  const [isWanted, setWanted] = useState(false);
  const label = `${name}, ${role}: times, theme, keys, sign out`;
  const button = (
    <button
      type="button"
      aria-label={label}
      aria-haspopup="menu"
      aria-expanded={isWanted}
      onPointerEnter={() => void load()}
      onFocus={() => void load()}
      onClick={() => setWanted(true)}
      className={SHAPE}
    >
      <PersonIcon className="size-5" />
    </button>
  );
  if (!isWanted) return button;
  return (
    <Suspense fallback={button}>
      <UserMenu
        onHelp={onHelp}
        trigger={
          <button type="button" aria-label={label} className={SHAPE}>
            <PersonIcon className="size-5" />
          </button>
        }
      />
    </Suspense>
  );
}
