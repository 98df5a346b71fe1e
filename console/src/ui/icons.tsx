import type { ReactNode } from "react";

/** Drawn on a grid of 16, in the colour of the text. A picture beside a word says nothing more: it is hidden from readers. */
function icon(paths: ReactNode) {
  return function Icon({ className = "size-4" }: { readonly className?: string }) {
    return (
      <svg
        viewBox="0 0 16 16"
        className={`shrink-0 ${className}`}
        fill="none"
        stroke="currentColor"
        strokeWidth="1.5"
        strokeLinecap="round"
        strokeLinejoin="round"
        aria-hidden="true"
      >
        {paths}
      </svg>
    );
  };
}

export const CheckIcon = icon(
  <>
    <circle cx="8" cy="8" r="6.2" />
    <path d="m5.4 8.2 1.8 1.8 3.4-3.8" />
  </>,
);
export const WorkIcon = icon(
  <>
    <circle cx="8" cy="8" r="6.2" strokeDasharray="3 2.6" />
    <circle cx="8" cy="8" r="1.8" fill="currentColor" stroke="none" />
  </>,
);
export const ClockIcon = icon(
  <>
    <circle cx="8" cy="8" r="6.2" />
    <path d="M8 4.6V8l2.2 1.6" />
  </>,
);
export const StopIcon = icon(
  <>
    <path d="M5.4 1.8h5.2l3.6 3.6v5.2l-3.6 3.6H5.4l-3.6-3.6V5.4z" />
    <path d="M8 4.8v3.8M8 11v.1" />
  </>,
);
export const DoubtIcon = icon(
  <>
    <circle cx="8" cy="8" r="6.2" />
    <path d="M6.2 6.3a1.9 1.9 0 1 1 2.6 1.8c-.5.2-.8.6-.8 1.1M8 11.2v.1" />
  </>,
);
export const CancelledIcon = icon(
  <>
    <circle cx="8" cy="8" r="6.2" />
    <path d="m3.8 12.2 8.4-8.4" />
  </>,
);
export const ClosedIcon = icon(
  <>
    <rect x="2.4" y="3" width="11.2" height="3" rx="0.8" />
    <path d="M3.4 6v6.4a.8.8 0 0 0 .8.8h7.6a.8.8 0 0 0 .8-.8V6M6.4 8.6h3.2" />
  </>,
);
export const InboxIcon = icon(
  <path d="M2 9.5 4 3h8l2 6.5M2 9.5V13h12V9.5M2 9.5h3.2a2.8 2.8 0 0 0 5.6 0H14" />,
);
export const TicketIcon = icon(
  <path
    d="M2 4.5h12v2.2a1.4 1.4 0 0 0 0 2.6v2.2H2V9.3a1.4 1.4 0 0 0 0-2.6zM10 4.8v6.4"
    strokeDasharray="none"
  />,
);
export const BellIcon = icon(<path d="M4 11V7a4 4 0 1 1 8 0v4l1 1.4H3zM6.8 14.2h2.4" />);
export const PersonIcon = icon(
  <>
    <circle cx="8" cy="5.2" r="2.8" />
    <path d="M2.8 14a5.2 5.2 0 0 1 10.4 0" />
  </>,
);
export const CopyIcon = icon(
  <>
    <rect x="5.5" y="5.5" width="8" height="8" rx="1.4" />
    <path d="M10.5 5.5V3.9a1.4 1.4 0 0 0-1.4-1.4H3.9a1.4 1.4 0 0 0-1.4 1.4v5.2a1.4 1.4 0 0 0 1.4 1.4h1.6" />
  </>,
);
export const TickIcon = icon(<path d="m3.4 8.6 3 3 6.2-7" />);
export const SearchIcon = icon(
  <>
    <circle cx="7" cy="7" r="4.4" />
    <path d="m10.4 10.4 3.2 3.2" />
  </>,
);
export const CrossIcon = icon(<path d="m4 4 8 8M12 4l-8 8" />);
export const LiveIcon = icon(
  <>
    <circle cx="8" cy="8" r="2.6" fill="currentColor" stroke="none" />
    <path d="M3.8 3.8a6 6 0 0 0 0 8.4M12.2 3.8a6 6 0 0 1 0 8.4" />
  </>,
);
export const PauseIcon = icon(<path d="M5.5 3.5v9M10.5 3.5v9" />);
export const PlayIcon = icon(<path d="M5 3.2v9.6l7.4-4.8z" />);
export const RetryIcon = icon(<path d="M13 8a5 5 0 1 1-1.6-3.7M13 2.4v2.9h-2.9" />);
export const ChevronIcon = icon(<path d="m4.4 6.2 3.6 3.6 3.6-3.6" />);
export const FilterIcon = icon(<path d="M2.4 3.4h11.2L9.4 8.6v4l-2.8 1.2V8.6z" />);
export const EyeIcon = icon(
  <>
    <path d="M1.6 8S4 3.6 8 3.6 14.4 8 14.4 8 12 12.4 8 12.4 1.6 8 1.6 8Z" />
    <circle cx="8" cy="8" r="1.9" />
  </>,
);
export const WarningIcon = icon(<path d="M8 2.2 14.4 13.4H1.6zM8 6.4v3.2M8 11.5v.1" />);
