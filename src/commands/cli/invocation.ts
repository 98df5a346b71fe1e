import { basename, relative } from "node:path";

/** How this command line was called, for advice that can be pasted: `npm run -s wavegate --` or `node src/main.ts`. */
export function invocation(): string {
  if (process.env["npm_lifecycle_event"]) return "npm run -s wavegate --";
  const script = process.argv[1] ?? "";
  return basename(script) === "wavegate" ? "wavegate" : `node ${relative(process.cwd(), script)}`;
}
