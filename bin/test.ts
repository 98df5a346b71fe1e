// CommonJS without type annotations, as in `main.ts` here, so that an older Node can read it and say what is wrong.
// `test/run.ts` is a link to it.
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major < 24 || (major === 24 && minor < 12)) {
  process.stderr.write(
    "WaveGate's tests need Node.js 24.12 or newer; this is " +
      process.version +
      ".\n" +
      "`npm test` uses the Node that `npm ci` installed.\n" +
      "If that fails too, npm has not installed it: run `npm ci` without --omit=dev and --ignore-scripts.\n",
  );
  process.exit(1);
}
void import("../test/support/runner.ts").then((runner) => runner.main(process.argv.slice(2)));
