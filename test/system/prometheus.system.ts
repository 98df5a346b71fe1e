import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { POSTGRES } from "../support/databases.ts";
import { gatewayEnv, type RunningGateway, runGateway } from "../support/gateway.ts";
import { until } from "../support/gateway-process.ts";
import { freePort } from "../support/postgres.ts";
import { type Recorder, startRecorder } from "../support/recorder.ts";
import { orderBody } from "../support/way.ts";

const DEPLOY = new URL("../../deploy/prometheus/", import.meta.url);
const TOKEN = "the-token-of-prometheus";

interface Alert {
  readonly state: string;
  readonly labels: Readonly<Record<string, string>>;
}

suite("a real Prometheus", () => {
  const directory = mkdtempSync(join(tmpdir(), "wavegate-prometheus-"));
  let ticketing: Recorder;
  let gateway: RunningGateway;
  let prometheus: ChildProcess;
  let url: string;
  let said = "";

  before(async () => {
    ticketing = await startRecorder();
    // Nobody works what it accepts, as if all workers had gone.
    gateway = await runGateway({
      ...gatewayEnv(await POSTGRES.createUrl(), ticketing.url),
      OPERATORS_JSON: JSON.stringify([{ name: "prometheus", token: TOKEN, role: "viewer" }]),
      ROLE: "api",
    });
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    writeFileSync(join(directory, "wavegate.token"), TOKEN);
    writeFileSync(join(directory, "prometheus.yml"), hurried("prometheus.yml", directory, gateway));
    writeFileSync(join(directory, "wavegate.rules.yml"), hurried("wavegate.rules.yml", directory, gateway));
    prometheus = spawn("prometheus", [
      `--config.file=${join(directory, "prometheus.yml")}`,
      `--storage.tsdb.path=${join(directory, "data")}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ]);
    prometheus.on("error", (error) => (said += error.message));
    prometheus.stderr!.setEncoding("utf8").on("data", (text: string) => (said += text));
  });
  after(async () => {
    prometheus?.kill("SIGKILL");
    await Promise.all([gateway?.stop(), ticketing.close()]);
    rmSync(directory, { recursive: true, force: true });
  });

  const ask = async <T>(path: string): Promise<T | undefined> => {
    if (prometheus.exitCode !== null) throw new Error(`Prometheus has ended: ${said}`);
    const reply = await fetch(`${url}/api/v1/${path}`).catch(() => null);
    return reply?.ok ? ((await reply.json()) as { data: T }).data : undefined;
  };

  test("what it scrapes is as promtool wants it", async () => {
    assert.equal((await gateway.post(orderBody("http://127.0.0.1:9/cb"))).status, 201);
    const reply = await gateway.get("/metrics", { authorization: `Bearer ${TOKEN}` });
    const check = spawnSync("promtool", ["check", "metrics"], {
      input: await reply.text(),
      encoding: "utf8",
    });
    assert.deepEqual([check.status, check.stdout, check.stderr], [0, "", ""]);
  });

  test("an order that nobody works makes an alert fire", async () => {
    await until("a scrape", async () => {
      const { activeTargets } = (await ask<{ activeTargets: { health: string; lastError: string }[] }>(
        "targets",
      )) ?? { activeTargets: [] };
      return activeTargets.length > 0 && activeTargets.every(({ health }) => health === "up");
    });
    const firing = async (): Promise<string[]> => {
      const found = (await ask<{ alerts: Alert[] }>("alerts"))?.alerts ?? [];
      return found.filter(({ state }) => state === "firing").map(({ labels }) => labels["alertname"]!);
    };
    await until("the watchdog", async () => (await firing()).includes("WaveGateWatchdog"));
    assert.ok(!(await firing()).includes("WaveGateOrdersPastDue"));
    // A minute passes.
    await gateway.storage.database.queries
      .updateTable("ticketing_jobs")
      .set((row) => ({ next_attempt_at: row("next_attempt_at", "-", 60_000) }))
      .execute();
    await until("the alert", async () => (await firing()).includes("WaveGateOrdersPastDue"));
  });
});

/** A file of `deploy/prometheus`, pointed at the gateway, and with seconds for minutes. */
function hurried(name: string, directory: string, { url }: RunningGateway): string {
  const text = readFileSync(new URL(name, DEPLOY), "utf8")
    .replaceAll(/(scrape_interval|evaluation_interval): \d+s/g, "$1: 1s")
    .replaceAll(/for: \w+$/gm, "for: 1s")
    .replace("/etc/prometheus/wavegate.token", join(directory, "wavegate.token"))
    .replace(/targets:\n(?: +- 127.*\n)+/, `targets: ["${new URL(url!).host}"]\n`)
    .replace(/^alerting:[^]*/m, "");
  return text;
}
