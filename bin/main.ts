#!/usr/bin/env node
// This file is CommonJS without type annotations, so that an older Node can read it and say what
// is wrong instead of stopping at the extension. `src/main.ts` is a link to it.
const { enableCompileCache } = require("node:module");

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 24 || (major === 24 && minor < 12)) {
  const inCheckout = __filename.endsWith(".ts");
  process.stderr.write(
    "WaveGate needs Node.js 24.12 or newer; this is " +
      process.version +
      ".\n" +
      (inCheckout
        ? "Inside the checkout, `npm run -s wavegate -- <command>` uses the Node that `npm ci` installed.\n" +
          "If that fails too, npm has not installed it: run `npm ci` without --omit=dev and --ignore-scripts.\n"
        : "The package brings none: install it from https://nodejs.org/ or by the system's package manager.\n"),
  );
  process.exit(1);
}
enableCompileCache?.();
import("../src/commands/program.ts").then((program) => program.main(process.argv.slice(2)));
