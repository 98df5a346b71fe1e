import { createHash } from "node:crypto";

/** Text as it may stand anywhere in HTML. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** A text of the document, which may have `code`, *stress*, **weight** and empty lines between paragraphs. */
export function words(text: string): string {
  const paragraphs = text.split("\n\n").map((paragraph) => `<p>${phrase(paragraph)}</p>`);
  return paragraphs.join("\n");
}

/** The same within a line. */
export function phrase(text: string): string {
  return escaped(text)
    .replace(/`([^`]+)`/g, "<code>$1</code>")
    .replace(/\*\*([^*]+)\*\*/g, "<strong>$1</strong>")
    .replace(/\*([^*]+)\*/g, "<em>$1</em>");
}

export function code(text: string): string {
  return `<pre><code>${escaped(text)}</code></pre>`;
}

export function table(names: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return "";
  const head = names.map((name) => `<th>${name}</th>`).join("");
  const body = rows.map((cells) => `<tr>${cells.map((cell) => `<td>${cell}</td>`).join("")}</tr>`);
  return `<div class="wide"><table><thead><tr>${head}</tr></thead><tbody>${body.join("\n")}</tbody></table></div>`;
}

/** What is there for those who open it. */
export function folded(title: string, inside: string): string {
  return inside === "" ? "" : `<details><summary>${title}</summary>${inside}</details>`;
}

const STYLE = `
:root { color-scheme: light dark; --line: #8884; --soft: #8881; --mark: #0a7d4f; }
@media (prefers-color-scheme: dark) { :root { --mark: #4fc796; } }
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; }
body { margin: 0; font: 16px/1.55 system-ui, sans-serif; display: grid; grid-template-columns: 17rem minmax(0, 1fr); }
nav { position: sticky; top: 0; height: 100vh; overflow: auto; padding: 1.5rem 1rem; border-right: 1px solid var(--line); font-size: .85rem; }
nav ul { list-style: none; margin: 0 0 1rem; padding: 0; }
nav a { display: block; padding: .15rem 0; color: inherit; text-decoration: none; overflow-wrap: anywhere; }
nav a:hover { color: var(--mark); }
nav b { display: block; margin-bottom: .25rem; }
main { max-width: 62rem; padding: 1.5rem 2rem 6rem; }
h1 { margin: 0; } h2 { margin-top: 4rem; } h4 { margin: 1.5rem 0 .5rem; }
section { border-top: 1px solid var(--line); padding-top: 1rem; margin-top: 2.5rem; }
h3 { margin: 0; font-size: 1.1rem; } h3 a { color: inherit; text-decoration: none; }
.method { color: var(--mark); font-weight: 700; margin-right: .5rem; }
code, pre { font: .85em/1.5 ui-monospace, monospace; }
:not(pre) > code { background: var(--soft); padding: .1em .3em; border-radius: 3px; overflow-wrap: anywhere; }
td:first-child > code { overflow-wrap: break-word; }
pre { background: var(--soft); padding: .8rem 1rem; border-radius: 6px; overflow: auto; max-height: 32rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .8rem .35rem 0; border-bottom: 1px solid var(--line); }
summary { cursor: pointer; margin: .5rem 0; }
@media (max-width: 60rem) { body { display: block; } nav { position: static; height: auto; border: 0; } main { padding: 1rem; } }
`;

/** Allows this page's own style and nothing else: no script, nothing from elsewhere. */
export const DOCS_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash("sha256").update(STYLE).digest("base64")}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** A whole page. `nav` and `main` are HTML. */
export function page(title: string, nav: string, main: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<nav>${nav}</nav>
<main>
${main}
</main>
</body>
</html>
`;
}
