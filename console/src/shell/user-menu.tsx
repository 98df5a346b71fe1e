import type { ReactNode } from "react";
import type { TimeMode } from "../format/time.ts";
import { useChoice } from "../preferences/stored.ts";
import { theme } from "../preferences/theme.ts";
import { timeMode } from "../preferences/time-mode.ts";
import { useSession } from "../session/session.ts";
import { useSignOut } from "../session/use-sign-out.ts";
import { Menu, MenuChoices, MenuItem, MenuLabel, MenuLine } from "../ui/menu.tsx";
import { ProblemNotice } from "../ui/notice.tsx";

interface Props {
  readonly onHelp: () => void;
  /** One button. */
  readonly trigger: ReactNode;
}

/** Open from the start: it was asked for. */
export function UserMenu({ onHelp, trigger }: Props) {
  const { name, role, time_zone: venue, version } = useSession();
  const signOut = useSignOut();
  const modes: Record<TimeMode, string> = { venue: `Venue (${venue})`, utc: "UTC", relative: "Relative" };
  return (
    <>
      {signOut.isError && (
        <div className="fixed inset-x-3 top-14 z-40 mx-auto max-w-md rounded-md shadow-raised">
          <ProblemNotice error={signOut.error} onRetry={() => signOut.mutate()} />
        </div>
      )}
      <Menu defaultOpen trigger={trigger}>
        <MenuLabel>
          Signed in as <strong className="text-ink">{name}</strong>, {role}
        </MenuLabel>
        <MenuLine />
        <MenuChoices label="Times" value={useChoice(timeMode)} values={modes} onChange={timeMode.set} />
        <MenuLine />
        <MenuChoices
          label="Theme"
          value={useChoice(theme)}
          values={{ system: "As the system", light: "Light", dark: "Dark" }}
          onChange={theme.set}
        />
        <MenuLine />
        <MenuItem onSelect={onHelp}>Keys</MenuItem>
        <MenuItem onSelect={() => signOut.mutate()}>Sign out</MenuItem>
        <MenuLabel>WaveGate {version}</MenuLabel>
      </Menu>
    </>
  );
}
