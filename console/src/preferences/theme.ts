import { choice } from "./stored.ts";

const THEMES = ["system", "light", "dark"] as const;
export const theme = choice("theme", THEMES, "system");

function apply(): void {
  document.documentElement.dataset["theme"] = theme.get();
}

/** Before anything is drawn, and whenever the user chooses anew. */
export function followTheme(): void {
  apply();
  theme.onChange(apply);
}
