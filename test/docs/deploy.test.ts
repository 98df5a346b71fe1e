import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { suite, test } from "node:test";
import { collectDefaultMetrics, Registry } from "prom-client";
import { CONFIG_VARIABLES } from "../../src/config.ts";
import { BODY_LIMIT_BYTES } from "../../src/http/json-body.ts";
import { ORDER_STATUSES } from "../../src/orders/states.ts";

const ROOT = join(import.meta.dirname, "../..");
const read = (path: string) => readFileSync(join(ROOT, path), "utf8");
const found = (pattern: string) => globSync(pattern, { cwd: ROOT }).sort();

const RULES = read("deploy/prometheus/wavegate.rules.yml");
const OPERATIONS = read("docs/operations.md");
const UNITS = found("deploy/systemd/*.service");
const COMPOSE = read("deploy/compose.yaml");
const NGINX = read("deploy/nginx/wavegate.conf");

interface Alert {
  readonly name: string;
  readonly expr: string;
  readonly severity: string;
  readonly annotations: string;
  readonly page: string;
}

/** The rules, as far as they are written like those that stand there. */
const ALERTS: readonly Alert[] = RULES.split(/^ +- alert: /m)
  .slice(1)
  .map((text) => {
    const [, name = ""] = /^(\w+)$/m.exec(text) ?? [];
    const [, expr = ""] = /^ +expr: ([\s\S]*?)^ +(?:for|labels):/m.exec(text) ?? [];
    const [, severity = ""] = /^ +severity: (\w+)$/m.exec(text) ?? [];
    const [, annotations = ""] = /^ +annotations:\n([\s\S]*?runbook_url.*)$/m.exec(text) ?? [];
    const [, page = ""] = /^ +runbook_url: (\S+)$/m.exec(text) ?? [];
    return { name, expr, severity, annotations, page };
  });

/** The metrics of docs/observability.md, each with its labels; and those that come from Node. */
function knownMetrics(): Map<string, ReadonlySet<string>> {
  const known = new Map<string, ReadonlySet<string>>();
  for (const line of read("docs/observability.md").split("\n")) {
    const [, names = "", type = "", labels = ""] = line.split("|").map((cell) => cell.trim());
    const [, name] = /^`(wavegate_\w+)`$/.exec(names) ?? [];
    if (name === undefined) continue;
    const own = new Set([...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label!));
    known.set(name, own);
    if (type === "histogram") known.set(`${name}_bucket`, own.union(new Set(["le"])));
  }
  const register = new Registry();
  collectDefaultMetrics({ register });
  for (const { name } of register.getMetricsAsArray()) known.set(name, new Set());
  return known;
}

/** What the labels in an alert's advice may stand for. */
const EXAMPLES: Readonly<Record<string, string>> = { partner: "demo", status: "ticketing_blocked" };
const METRIC = /\b((?:wavegate|nodejs|process)_\w+)(?:\{([^}]*)\})?/g;
const SCRAPED = ["job", "instance"];

suite("deploy/prometheus, deploy/grafana", () => {
  const known = knownMetrics();
  const board = JSON.parse(read("deploy/grafana/wavegate.json")) as Board;
  const queries = [
    ...ALERTS.map(({ name, expr }) => ({ where: name, expr })),
    ...board.panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ where: title, expr }))),
    ...board.templating.list.map(({ name, definition = "" }) => ({ where: name, expr: definition })),
  ];

  test("every metric and label that is asked for is one that the gateway has", () => {
    assert.ok(ALERTS.length > 15 && known.size > 50 && queries.length > 50);
    for (const { where, expr } of queries) {
      let labels = new Set<string>([...SCRAPED, "le", "alertname"]);
      for (const [, metric = "", selector = ""] of expr.matchAll(METRIC)) {
        const own = known.get(metric);
        assert.ok(own, `${where}: ${metric} is not in docs/observability.md`);
        labels = labels.union(own);
        for (const [, label = ""] of selector.matchAll(/(\w+)\s*(?:=~|!~|!=|=)\s*"/g)) {
          assert.ok([...SCRAPED, ...own].includes(label), `${where}: ${metric} has no label ${label}`);
        }
      }
      for (const [, list = ""] of expr.matchAll(/\b(?:by|on) \(([^)]*)\)/g)) {
        for (const label of list.split(",").map((each) => each.trim())) {
          assert.ok(labels.has(label), `${where}: no metric of it has the label ${label}`);
        }
      }
      for (const [, status = ""] of expr.matchAll(/"((?:ticketing|ota)_\w+)"/g)) {
        assert.ok((ORDER_STATUSES as readonly string[]).includes(status), `${where}: ${status}`);
      }
    }
  });

  test("the board asks its own data source and no outside host; each panel has a place of its own", () => {
    const text = read("deploy/grafana/wavegate.json");
    assert.doesNotMatch(text, /https?:/);
    assert.equal(board.id, null);
    const variables = board.templating.list.map(({ name }) => name);
    assert.deepEqual(variables, ["datasource", "job", "instance", "partner"]);
    for (const [, name = ""] of text.matchAll(/\$\{?(\w+)/g)) {
      assert.ok([...variables, "__rate_interval", "__all"].includes(name), `$${name}`);
    }
    const ids = board.panels.map(({ id }) => id);
    assert.equal(new Set(ids).size, ids.length);
    const taken = new Set<string>();
    for (const { title, type, datasource, targets = [], gridPos } of board.panels) {
      for (const each of type === "row" ? [] : [datasource, ...targets.map((one) => one.datasource)]) {
        assert.deepEqual(each, { type: "prometheus", uid: "${datasource}" }, title);
      }
      assert.ok(gridPos.x + gridPos.w <= 24, title);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          assert.ok(!taken.has(`${x} ${y}`), `${title} lies over another`);
          taken.add(`${x} ${y}`);
        }
      }
    }
  });

  test("every alert has a runbook, every runbook an alert, and the list in docs/operations.md has all", () => {
    for (const { name, severity, annotations, page } of ALERTS) {
      assert.match(name, /^WaveGate[A-Z]\w+$/);
      assert.match(severity, /^(critical|warning|none)$/, name);
      for (const field of ["summary", "description"]) assert.match(annotations, new RegExp(`${field}: ".+"`));
      assert.ok(existsSync(join(ROOT, page)), `${name}: ${page}`);
      assert.ok(read(page).includes(`Alert \`${name}\``), `${page} names ${name}`);
      const row = OPERATIONS.split("\n").find((line) => line.startsWith(`| \`${name}\` |`)) ?? "";
      assert.ok(row.includes(`| ${severity} |`), `docs/operations.md: ${name}`);
      assert.ok(row.includes(`](${page.slice("docs/".length)})`), `docs/operations.md: ${name}`);
    }
    const pages = found("docs/runbooks/*.md");
    assert.deepEqual(pages, ALERTS.map(({ page }) => page).sort());
    for (const page of pages) {
      const headings = [...read(page).matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);
      assert.deepEqual(headings, ["What it means", "Is a customer hurt?", "Look", "Act", "Afterwards"], page);
    }
  });

  test("what an alert advises stands in its runbook, whose commands are checked", () => {
    for (const { name, annotations, page } of ALERTS) {
      const [, advice = ""] = /Look closer: (.*)"$/m.exec(annotations) ?? [];
      for (const command of advice.split(", ").filter((each) => each.startsWith("wavegate "))) {
        const words = command.replaceAll(
          /\{\{ \$labels\.(\w+) \}\}/g,
          (_, label: string) => EXAMPLES[label]!,
        );
        assert.ok(read(page).includes(words), `${name}: ${words}`);
      }
    }
  });

  test("every alert is tried", () => {
    const tried = found("deploy/prometheus/*.test.yml").map(read).join("");
    for (const { name } of ALERTS) assert.ok(tried.includes(name), name);
  });
});

interface Board {
  readonly id: number | null;
  readonly panels: readonly {
    readonly id: number;
    readonly type: string;
    readonly title: string;
    readonly datasource?: unknown;
    readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
    readonly targets?: readonly { readonly expr: string; readonly datasource: unknown }[];
  }[];
  readonly templating: { readonly list: readonly { readonly name: string; readonly definition?: string }[] };
}

/** What somebody sets is a setting, or the file of a secret one. */
function assertSettings(where: string, names: readonly string[]): void {
  assert.ok(names.length > 0, where);
  for (const name of names) {
    const variable = CONFIG_VARIABLES.find((each) => each.name === name.replace(/_FILE$/, ""));
    assert.ok(variable, `${where}: ${name}`);
    assert.ok(variable.isSecret || !name.endsWith("_FILE"), `${where}: ${name} is no secret`);
  }
}

const defaultOf = (name: string) => Number(CONFIG_VARIABLES.find((each) => each.name === name)?.default);

suite("deploy/systemd", () => {
  test("all units are hardened alike, and set what there is to set", () => {
    assert.equal(UNITS.length, 4);
    const hardening = UNITS.map((unit) => {
      const text = read(unit);
      assertSettings(
        unit,
        [...text.matchAll(/^Environment=(.*)$/gm)].flatMap(([, list = ""]) => names(list)),
      );
      return /^# The same in all units[\s\S]*?(?=\n\n|$(?![\s\S]))/m.exec(text)?.[0]?.trimEnd();
    });
    assert.match(hardening[0] ?? "", /NoNewPrivileges=yes/);
    assert.equal(new Set(hardening).size, 1);
    assertSettings("wavegate.env", names(read("deploy/systemd/wavegate.env").replaceAll(/^#.*$/gm, "")));

    function names(list: string): string[] {
      return [...list.matchAll(/(?:^|\s)([A-Z_]+)=/g)].map(([, name]) => name!);
    }
  });

  test("a stop has the time that a drain takes, and ends once", () => {
    for (const unit of UNITS.filter((each) => !each.includes("migrate"))) {
      const text = read(unit);
      assert.ok(Number(/^TimeoutStopSec=(\d+)$/m.exec(text)?.[1]) >= defaultOf("DRAIN_SECS") + 10, unit);
      assert.match(text, /^KillMode=mixed$/m);
    }
  });
});

suite("deploy/systemd/wavegate", () => {
  test("hands a command on with the settings, and with each secret as the file that systemd gives it", (t) => {
    const directory = mkdtempSync(join(tmpdir(), "wavegate-command-"));
    t.after(() => rmSync(directory, { recursive: true, force: true }));
    const secrets = join(directory, "secrets");
    mkdirSync(secrets);
    for (const [path, text] of [
      ["wavegate", read("deploy/systemd/wavegate").replace("/etc/wavegate/secrets", secrets)],
      ["systemd-run", `#!/bin/sh\nprintf '%s\\n' "$@"\n`],
    ] as const) {
      writeFileSync(join(directory, path), text, { mode: 0o755 });
    }
    const run = () =>
      execFileSync(join(directory, "wavegate"), ["order", "close", "12", "--reason", "by telephone"], {
        encoding: "utf8",
        env: { PATH: `${directory}:${process.env["PATH"]}`, SUDO_USER: "kim" },
      }).split("\n");

    writeFileSync(join(secrets, "app_hmac_secret"), "");
    const onSqlite = run();
    assert.deepEqual(onSqlite.slice(-7, -1), [
      "/opt/wavegate/bin/wavegate",
      "order",
      "close",
      "12",
      "--reason",
      "by telephone",
    ]);
    assert.ok(onSqlite.includes("SUDO_USER=kim"));
    assert.ok(onSqlite.includes(`LoadCredential=app_hmac_secret:${secrets}/app_hmac_secret`));
    const unit = /^--unit=(\S+)$/m.exec(onSqlite.join("\n"))?.[1];
    assert.ok(onSqlite.includes(`APP_HMAC_SECRET_FILE=/run/credentials/${unit}.service/app_hmac_secret`));
    assert.ok(onSqlite.includes("DATABASE_URL=sqlite:////var/lib/wavegate/gateway.db"));

    writeFileSync(join(secrets, "database_url"), "");
    const onPostgres = run();
    assert.ok(onPostgres.some((word) => /^DATABASE_URL_FILE=.*\/database_url$/.test(word)));
    assert.doesNotMatch(onPostgres.join("\n"), /sqlite|StateDirectory/);
  });
});

suite("deploy/nginx", () => {
  const secs = (directive: string, text = NGINX) =>
    Number(new RegExp(`^\\s*${directive} (\\d+)s;`, "m").exec(text)?.[1]);

  test("its limits fit the gateway's", () => {
    assert.equal(Number(/client_max_body_size (\d+)k;/.exec(NGINX)?.[1]) * 1024, BODY_LIMIT_BYTES);
    // The longest wait= that the gateway grants.
    assert.ok(secs("proxy_read_timeout") > 30);
    for (const file of found("deploy/nginx/upstream*.conf")) {
      // The gateway ends idle connections after 65 s.
      assert.ok(secs("keepalive_timeout", read(file)) < 65, file);
    }
  });

  test("the client's address is set and not appended to; only a keyed POST is ever sent twice", () => {
    const forwarded = [...NGINX.matchAll(/X-Forwarded-For (\S+);/g)].map(([, value]) => value);
    assert.deepEqual(new Set(forwarded), new Set(["$remote_addr"]));
    const repeating = NGINX.split(/^\s*location /m).filter((each) => /^[^#]*non_idempotent/m.test(each));
    assert.deepEqual(
      repeating.map((each) => each.split(" {")[0]),
      ["= /orders:with-key"],
    );
  });
});

suite("deploy/compose.yaml, deploy/Dockerfile", () => {
  /** A service's text, by its name. */
  const services = new Map(
    (/^services:\n([\s\S]*?)^\w/m.exec(COMPOSE)?.[1] ?? "").split(/^(?= {2}[\w-]+:$)/m).flatMap((text) => {
      const [, name] = /^ {2}([\w-]+):$/m.exec(text) ?? [];
      return name === undefined ? [] : [[name, text] as const];
    }),
  );
  const addressOf = (service: string) => /ipv4_address: (\S+)/.exec(services.get(service) ?? "")?.[1];

  test("only nginx is reached from outside, and every image has a tag", () => {
    assert.deepEqual(
      [...services.keys()],
      ["gateway-1", "gateway-2", "migrate", "wavegate", "postgres", "nginx"],
    );
    for (const [name, text] of services) assert.equal(/^ +ports:/m.test(text), name === "nginx", name);
    for (const [, image = ""] of COMPOSE.matchAll(/^ +image: (\S+)$/gm))
      assert.match(image, /^\w+:\d[\w.-]*$/);
    assert.match(COMPOSE, /^ {2}database:\n(?: {4}.*\n)*? {4}internal: true$/m);
    assert.doesNotMatch(services.get("postgres") ?? "", /front/);
  });

  test("the addresses that nginx and TRUSTED_PROXIES name are those that are given", () => {
    const upstream = read("deploy/nginx/upstream.compose.conf");
    const servers = [...upstream.matchAll(/^\s*server ([\d.]+):8080 /gm)].map(([, address]) => address);
    assert.deepEqual(servers, ["gateway-1", "gateway-2"].map(addressOf));
    assert.ok(COMPOSE.includes(`TRUSTED_PROXIES: ${addressOf("nginx")}/32`));
  });

  test("what is set is a setting; secrets are files; a stop has the time that a drain takes", () => {
    const [, settings = ""] = /^x-gateway:[\s\S]*?^ {2}environment:\n((?: {4}.*\n)*)/m.exec(COMPOSE) ?? [];
    assertSettings(
      "compose.yaml",
      [...settings.matchAll(/^ {4}([A-Z_]+):/gm)].map(([, name]) => name!),
    );
    const used = new Set(
      [...COMPOSE.matchAll(/secrets: \[([^\]]*)\]/g)].flatMap(([, list = ""]) => list.split(", ")),
    );
    const given = [...COMPOSE.matchAll(/^ {2}(\w+):\n {4}file: .\/secrets\/(\w+)$/gm)];
    assert.deepEqual(new Set(given.map(([, name]) => name)), used);
    for (const [, name, file] of given) assert.equal(name, file);
    assert.ok(Number(/^ {2}stop_grace_period: (\d+)s$/m.exec(COMPOSE)?.[1]) >= defaultOf("DRAIN_SECS") + 10);
  });

  test("the image runs as nobody in particular, and looks after its health without curl", () => {
    const stage = read("deploy/Dockerfile")
      .split(/^FROM /m)
      .at(-1)!;
    assert.match(stage, /^USER [1-9]\d*:[1-9]\d*$/m);
    assert.match(stage, /^HEALTHCHECK [^\n]*\\\n +CMD \["node", /m);
    assert.match(stage, /^ENTRYPOINT \["wavegate"\]\nCMD \["serve"\]$/m);
    assertSettings(
      "Dockerfile",
      [...stage.matchAll(/^ENV ([A-Z_]+)=/gm)].map(([, name]) => name!),
    );
    assert.ok(existsSync(join(ROOT, "deploy/Dockerfile.dockerignore")));
  });
});
