#!/usr/bin/env node
// This file is CommonJS without type annotations, so that an older Node can read it and say what
// is wrong instead of stopping at the extension. `src/main.ts` is a link to it.
const { enableCompileCache } = require("node:module");

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 24 || (major === 24 && minor < 12)) {
  process.stderr.write(
    "WaveGate needs Node.js 24.12 or newer; this is " +
      process.version +
      ".\n" +
      "Inside the checkout, `npm run -s wavegate -- <command>` uses the Node that `npm ci` installed.\n" +
      "If that fails too, npm has not installed it: run `npm ci` without --omit=dev and --ignore-scripts.\n",
  );
  process.exit(1);
}
enableCompileCache?.();
import("../src/commands/program.ts").then((program) => program.main(process.argv.slice(2)));
