import { count } from "../../format/words.ts";
import { useKeys } from "../../ui/keys.ts";
import type { News } from "./moves.ts";

/** How many orders aren't in the list yet. It floats: nothing moves when it comes. */
export function NewsPill({ news, onShow }: { readonly news: News; readonly onShow: () => void }) {
  const isThere = news.ids.size > 0 || news.orMore;
  useKeys({ n: onShow });
  const words = `${news.ids.size > 0 ? count(news.ids.size) : "Many"}${news.ids.size > 0 && news.orMore ? "+" : ""} new`;
  return (
    <div role="status" className="pointer-events-none sticky top-24 z-20 flex h-0 justify-center md:top-14">
      {isThere && (
        <button
          type="button"
          onClick={onShow}
          aria-keyshortcuts="n"
          className="num pointer-events-auto h-8 -translate-y-1/2 rounded-full bg-accent px-4 font-medium text-accent-ink shadow-raised hover:bg-accent-hover"
        >
          {words}
          <span className="sr-only"> orders: show them</span>
        </button>
      )}
    </div>
  );
}
