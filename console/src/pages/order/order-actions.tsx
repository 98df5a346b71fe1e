import { useQueryClient } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";
import { type PossibleAct, wordsOf } from "../../acts/act-words.ts";
import type { OrderStory } from "../../api/types.ts";
import { Button } from "../../ui/button.tsx";
import { ChevronIcon, TickIcon } from "../../ui/icons.tsx";
import { useKeys } from "../../ui/keys.ts";
import { Menu, MenuItem } from "../../ui/menu.tsx";
import { ATTENTION } from "../../search/status-sets.ts";

const load = () => import("../../acts/act-dialog.tsx");
const ActDialog = lazy(() => load().then(({ ActDialog }) => ({ default: ActDialog })));

/** What helps, the most helpful first, each with when it is the right thing; `r` retries. */
export function OrderActions({ story }: { readonly story: OrderStory }) {
  const { order, verdict } = story;
  const queries = useQueryClient();
  const [asked, setAsked] = useState<PossibleAct | null>(null);
  const [told, setTold] = useState<string | null>(null);
  const ask = (act: PossibleAct): void => {
    setTold(null);
    setAsked(act);
  };
  const [first, ...rest] = verdict.actions;
  const retry = verdict.actions.find(({ action }) => action === "retry");
  useKeys({ r: () => retry && ask(retry) });

  const done = (words: string): void => {
    setAsked(null);
    setTold(words);
    for (const key of ["order", "orders", "counts", "errors"]) {
      void queries.invalidateQueries({ queryKey: [key] });
    }
  };
  return (
    <>
      <div
        className={`flex flex-wrap items-center gap-2 ${first || told !== null ? "mt-3" : ""}`}
        onPointerEnter={() => void load()}
      >
        {first && (
          <Button
            kind={ATTENTION.includes(order.status) ? "primary" : "plain"}
            title={first.advice}
            onClick={() => ask(first)}
          >
            {wordsOf(first, order.status).label}
          </Button>
        )}
        {rest.length > 0 && (
          <Menu
            align="start"
            trigger={
              <Button>
                More
                <ChevronIcon className="size-3.5" />
              </Button>
            }
          >
            {rest.map((act) => (
              <MenuItem key={act.command} onSelect={() => ask(act)}>
                <span className="max-w-72 py-1">
                  <span className="font-medium">{wordsOf(act, order.status).label}</span>
                  <span className="block text-xs text-ink-2">{act.advice}</span>
                </span>
              </MenuItem>
            ))}
          </Menu>
        )}
        {/* In the advice's place, so that nothing moves. */}
        {first && told === null && (
          <p className="basis-full text-xs text-ink-2 sm:basis-auto">{first.advice}.</p>
        )}
        <p role="status" className={told === null ? "sr-only" : "flex items-center gap-1.5 text-good"}>
          {told !== null && <TickIcon />}
          {told}
        </p>
      </div>
      <Suspense>
        {asked && <ActDialog act={asked} order={order} onClose={() => setAsked(null)} onDone={done} />}
      </Suspense>
    </>
  );
}
