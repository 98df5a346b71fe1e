import { Link } from "@tanstack/react-router";

/** For those who go by keyboard: over the bar, into the page. Its address is the page's own, which a bare "#content" would not be. */
export function SkipLink() {
  return (
    <Link
      to="."
      search={true}
      hash="content"
      preload={false}
      onClick={(event) => {
        event.preventDefault();
        document.getElementById("content")?.focus();
      }}
      className="fixed start-2 -top-12 z-50 rounded bg-accent px-3 py-2 text-accent-ink focus:top-2"
    >
      Skip to content
    </Link>
  );
}
