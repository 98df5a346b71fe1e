import axe, { type AxeResults, type RunOptions } from "axe-core";
import type { Page } from "playwright-core";

const OPTIONS: RunOptions = {
  resultTypes: ["violations"],
  // Off by default, as it is new in WCAG 2.2.
  rules: { "target-size": { enabled: true } },
};

/**
 * What of WCAG 2.2 AA, and of good practice, axe finds seriously or critically wrong with a page as it stands.
 * @param rules the only ones to look for; none: all
 */
export async function seriousFindings(page: Page, rules: readonly string[] = []): Promise<string[]> {
  // Evaluated, not added as an element: the page's CSP stays as strict as it is. Once per page: there is much of it.
  if (!(await page.evaluate<boolean>("'axe' in globalThis"))) await page.evaluate(axe.source);
  const options: RunOptions = rules.length > 0 ? { ...OPTIONS, runOnly: [...rules] } : OPTIONS;
  const { violations } = await page.evaluate<AxeResults>(`axe.run(document, ${JSON.stringify(options)})`);
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, impact, help, nodes }) =>
      nodes.map(({ target, html, failureSummary = "" }) => {
        const why = failureSummary.split("\n").slice(1).join(";");
        return `${impact} ${id}: ${help} at ${target.join(" ")} ${html.slice(0, 200)}:${why}`;
      }),
    );
}
