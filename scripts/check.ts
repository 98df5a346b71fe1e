// Runs every `check:` script of package.json and names all that failed, not the first alone: `npm run check`.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

const root = new URL("..", import.meta.url);
const text = readFileSync(new URL("package.json", root), "utf8");
const { scripts } = JSON.parse(text) as { scripts: Record<string, string> };

const failed = Object.keys(scripts)
  .filter((name) => name.startsWith("check:"))
  .filter((name) => {
    console.log(`\n==> ${name}`);
    // Not `node --run`: that ends with 0 when a signal has killed the script.
    const { status } = spawnSync("npm", ["run", "--silent", name], { cwd: root, stdio: "inherit" });
    return status !== 0;
  });

console.log(failed.length === 0 ? "\nEvery check passed." : `\nFailed: ${failed.join(", ")}`);
process.exitCode = failed.length === 0 ? 0 : 1;
