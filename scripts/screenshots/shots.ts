import type { Page } from "playwright-core";

/** A page as it is shown: where it is, and what is done on it first. */
export interface Shot {
  /** Of the file: `console-<name>-<look>.png`. */
  readonly name: string;
  /** Below `/console/`; `{blocked}` is the id of the order of that name in the world. */
  readonly path: string;
  readonly isSignedOut?: boolean;
  /** Taken at its whole length, up to a limit. */
  readonly isWhole?: boolean;
  readonly steps?: readonly Step[];
  /** What is there when all is done: a selector. */
  readonly see?: string;
}

/** What is pressed or clicked: a key, or the first button, link or tab whose name matches. */
export type Step = { readonly press: string } | { readonly click: RegExp } | { readonly type: string };

export const SHOTS: readonly Shot[] = [
  { name: "sign-in", path: "", isSignedOut: true },
  { name: "orders", path: "" },
  { name: "order-retrying", path: "orders/{retrying}", isWhole: true },
  { name: "order-blocked", path: "orders/{blocked}", isWhole: true },
  { name: "order-late", path: "orders/{late}", isWhole: true },
  { name: "order-callback", path: "orders/{resent}?tab=callback", isWhole: true },
  { name: "order-tickets", path: "orders/{thirty}?tab=tickets" },
  { name: "errors", path: "errors" },
  { name: "overview", path: "overview", isWhole: true },
  { name: "partners", path: "partners" },
  { name: "partner", path: "partners/ota-three", isWhole: true },
  { name: "bulk", path: "errors", steps: [{ click: /^retry/i }], see: "[role=dialog]" },
  { name: "keys", path: "", steps: [{ press: "?" }], see: "[role=dialog]" },
];

export async function take(page: Page, step: Step): Promise<void> {
  if ("press" in step) return page.keyboard.press(step.press);
  if ("type" in step) return page.keyboard.type(step.type);
  const named = { name: step.click };
  const target = page
    .getByRole("button", named)
    .or(page.getByRole("link", named))
    .or(page.getByRole("tab", named));
  await target.first().click();
}
