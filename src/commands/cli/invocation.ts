import { basename, dirname, relative } from "node:path";

/**
 * How this command line was called, for advice that can be pasted: `wavegate` where the package is installed, `npx wavegate`
 * where it is a project's own; in the checkout `npm run -s wavegate --` or `node src/main.ts`.
 */
export function invocation(): string {
  const script = process.argv[1] ?? "";
  if (basename(script) === "wavegate")
    return basename(dirname(script)) === ".bin" ? "npx wavegate" : "wavegate";
  if (process.env["npm_lifecycle_event"]) return "npm run -s wavegate --";
  return `node ${relative(process.cwd(), script)}`;
}
