import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { until } from "../support/gateway-process.ts";

/** Runs nginx with this configuration, until it answers; all that it writes lies in the directory. */
export async function startNginx(
  directory: string,
  settings: string,
  answers: () => Promise<boolean>,
): Promise<ChildProcess> {
  const path = join(directory, "nginx.conf");
  writeFileSync(path, settings);
  const { PATH = "" } = process.env;
  const child = spawn("nginx", ["-p", directory, "-c", path, "-e", "stderr"], {
    // Debian's place for it, which not every user's PATH has.
    env: { ...process.env, PATH: `${PATH}:/usr/sbin` },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (errors += text));
  await once(child, "spawn");
  await until("nginx to listen", () => {
    if (child.exitCode !== null) throw new Error(`nginx ended: ${errors}`);
    return answers().catch(() => false);
  });
  return child;
}

/** What every nginx of the tests is told: one process, in the foreground, with its files in the directory. */
export function aroundHttp(directory: string, http: string): string {
  return `
daemon off;
master_process off;
pid ${directory}/pid;
error_log stderr crit;
events { worker_connections 512; }
http {
  client_body_temp_path ${directory}/body;
  proxy_temp_path ${directory}/proxy;
  fastcgi_temp_path ${directory}/fastcgi;
  uwsgi_temp_path ${directory}/uwsgi;
  scgi_temp_path ${directory}/scgi;
  ${http}
}`;
}
