import { Link } from "@tanstack/react-router";
import logo from "../icon.svg";
import { LiveIndicator } from "./live-indicator.tsx";
import { SearchBox } from "./search-box.tsx";
import { UserButton } from "./user-button.tsx";

const PAGES = [
  ["/", "Orders"],
  ["/errors", "Errors"],
  ["/overview", "Overview"],
  ["/partners", "Partners"],
] as const;

export function TopBar({ onHelp }: { readonly onHelp: () => void }) {
  return (
    <header className="z-30 print:hidden border-b border-line bg-panel tall:sticky tall:top-0">
      <div className="mx-auto flex max-w-[96rem] flex-wrap items-center gap-x-4 px-3 sm:px-5 md:flex-nowrap">
        <Link to="/" className="flex h-12 items-center gap-2 font-semibold" aria-label="WaveGate: orders">
          <img src={logo} alt="" className="size-6" />
          <span className="hidden sm:inline">WaveGate</span>
        </Link>
        <nav
          aria-label="Pages"
          className="order-last -mx-3 flex w-[calc(100%+1.5rem)] gap-1 border-t border-line px-1 sm:-mx-5 sm:w-[calc(100%+2.5rem)] sm:px-3 md:order-none md:mx-0 md:w-auto md:border-0 md:px-0"
        >
          {PAGES.map(([to, name]) => (
            <Link
              key={to}
              to={to}
              activeOptions={{ exact: to === "/", includeSearch: false }}
              activeProps={{ className: "border-accent text-ink", "aria-current": "page" }}
              inactiveProps={{ className: "border-transparent text-ink-2 hover:text-ink" }}
              className="flex h-10 items-center border-b-2 px-2 font-medium md:h-12"
            >
              {name}
            </Link>
          ))}
        </nav>
        <div className="flex h-12 min-w-0 flex-1 items-center justify-end gap-2">
          <SearchBox />
          <LiveIndicator />
          <UserButton onHelp={onHelp} />
        </div>
      </div>
    </header>
  );
}
