import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { describe, test, type TestContext } from "node:test";
import * as fc from "fast-check";
import { createLog } from "../../src/observe/log.ts";
import { readable } from "../../src/observe/readable-line.ts";

function capture(level = "debug") {
  const lines: string[] = [];
  const log = createLog({ level, destination: { write: (line) => void lines.push(line) } });
  return { log, lines, events: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

/**
 * A process that logs `count` lines to its stdout, says by IPC how it went, and then does what `end` says.
 */
function logger(t: TestContext, count: number, end: string) {
  const script = `
    import { createLog } from ${JSON.stringify(new URL("../../src/observe/log.ts", import.meta.url).href)};
    const log = createLog({ level: "info" });
    for (let i = 0; i < ${count}; i += 1) log.info({ event: "tick", i, padding: "x".repeat(1000) });
    process.send({ rssMib: process.memoryUsage.rss() / 2 ** 20 });
    ${end}`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit", "ipc"],
  });
  t.after(() => child.kill("SIGKILL"));
  const { stdout } = child;
  assert.ok(stdout);
  const exited = once(child, "exit").then(([code]) => code as number | null);
  const reported = once(child, "message").then(([message]) => message as { rssMib: number });
  const next = () => once(child, "message").then(([message]) => message as unknown);
  return {
    stdout,
    exited,
    reported,
    next,
    send: (message: string) => child.connected && child.send(message),
  };
}

describe("log", { timeout: 60_000 }, () => {
  test("one JSON line per event, with level, ISO time and pid", () => {
    const { log, lines, events } = capture();
    log.info({ event: "order.accepted", trace_id: "t", duration_ms: 1.5, parts: [1, { a: null }] });
    log.warn({ event: "w" });
    log.error({ event: "e" });
    log.debug({ event: "d" });
    const [first, ...others] = events();
    assert.match(String(first?.["time"]), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.deepEqual(
      { ...first, time: 0 },
      {
        level: "info",
        time: 0,
        pid: process.pid,
        event: "order.accepted",
        trace_id: "t",
        duration_ms: 1.5,
        parts: [1, { a: null }],
      },
    );
    assert.deepEqual(
      others.map(({ level, event }) => [level, event]),
      [
        ["warn", "w"],
        ["error", "e"],
        ["debug", "d"],
      ],
    );
    assert.ok(lines.every((line) => line.endsWith("\n")));
  });

  test("the level is kept", () => {
    const { log, lines } = capture("warn");
    log.info({ event: "no" });
    log.warn({ event: "yes" });
    assert.equal(lines.length, 1);
    assert.equal(capture("silent").lines.length, 0);
  });

  test("nothing secret is written, at any depth", () => {
    const { log, lines } = capture();
    const secret = "Zaphod";
    const error = Object.assign(new Error("duplicate"), { detail: `Key (name)=(${secret})`, code: "23505" });
    for (const name of [
      ..."token X-Partner-Token authorization signing_secret APP_HMAC_SECRET password headers rawHeaders".split(
        " ",
      ),
      ..."buyer raw_payload body answer set-cookie X-Callback-Signature DATABASE_URL PARTNERS_JSON tickets".split(
        " ",
      ),
    ]) {
      log.info({ event: "e", [name]: secret, nested: { list: [{ [name]: [secret] }] } });
    }
    log.error({ event: "e", err: error, cause: new Error("outer", { cause: error }) });
    log.info({ event: "e", a: { b: { c: { d: { e: secret } } } }, bytes: Buffer.from(secret) });
    assert.doesNotMatch(lines.join(""), /Zaphod/);
    assert.match(lines.join(""), /"code":"23505"/);
  });

  test("of a URL stay the host and the path, in whatever text it stands", () => {
    const { log, events } = capture();
    const cases: Readonly<Record<string, string>> = {
      "https://partner.example/cb?key=Zaphod": "https://partner.example/cb?[redacted]",
      "https://partner.example?Zaphod": "https://partner.example?[redacted]",
      "https://partner.example/cb#Zaphod": "https://partner.example/cb?[redacted]",
      "https://Zaphod:Zaphod@partner.example/cb": "https://[redacted]@partner.example/cb",
      "postgres://user:Zaphod@db.example/wavegate": "postgres://[redacted]@db.example/wavegate",
      "http://@partner.example/": "http://[redacted]@partner.example/",
      "see 'http://a.example/x?Zaphod', https://b.example?Zaphod=1 and more?":
        "see 'http://a.example/x?[redacted]', https://b.example?[redacted] and more?",
      "https://partner.example/ota/cb": "https://partner.example/ota/cb",
      "file:///app/src/main.ts:7:1": "file:///app/src/main.ts:7:1",
      "is that so? 1 @ 2": "is that so? 1 @ 2",
    };
    for (const text of Object.keys(cases)) {
      log.info({ event: "e", callback_url: text, nested: [{ note: text }], err: new Error(text) });
    }
    for (const [at, scrubbed] of Object.values(cases).entries()) {
      const { callback_url, nested, err } = events()[at]!;
      assert.deepEqual([callback_url, nested], [scrubbed, [{ note: scrubbed }]]);
      assert.equal((err as { message: string }).message, scrubbed);
      assert.doesNotMatch(JSON.stringify(events()[at]), /Zaphod/);
    }
  });

  test("an error that quotes JSON quotes nothing in the log", () => {
    const { log, lines } = capture();
    for (const text of [
      "Zaphod",
      '{"name":Zaphod}',
      `{"a":"${"x".repeat(100)}",Zaphod"b":"\n"}`,
      '"Zaphod\n"',
    ]) {
      assert.throws(
        () => JSON.parse(text) as unknown,
        (error) => {
          log.error({ event: "e", err: error });
          return true;
        },
      );
    }
    assert.doesNotMatch(lines.join(""), /Zaphod/);
    assert.equal(lines.length, 4);
  });

  test("a hostile text costs no time that grows with its square", () => {
    const { log, lines } = capture();
    for (const text of ["://", "://a@", "://?", '"', '" is not valid JSON', "a.", "@"]) {
      log.info({ event: "e", text: text.repeat(1e6) });
    }
    assert.equal(lines.length, 7);
  });

  test("a line is bounded, whatever is put into it", () => {
    const { log, lines } = capture();
    const circular: Record<string, unknown> = { big: "x".repeat(1e6), id: 7n };
    circular["self"] = circular;
    const err = new Error("x".repeat(1e6));
    log.info({ event: "e", circular, list: Array.from({ length: 1e5 }, () => 1), missing: undefined, err });
    assert.ok(lines[0]!.length < 30_000);
    assert.match(lines[0]!, /"id":"7"/);
  });

  test("whatever a field holds, its line is JSON that says so", () => {
    const { log, lines } = capture();
    const says = (fields: object): void => {
      log.info({ ...fields, event: "e" });
      const line = lines.pop()!;
      const { level, time, pid, ...said } = JSON.parse(line) as Record<string, unknown>;
      assert.deepEqual([level, typeof time, pid], ["info", "string", process.pid]);
      assert.deepEqual(said, JSON.parse(JSON.stringify({ ...fields, event: "e" })));
      assert.equal(line.indexOf("\n"), line.length - 1);
    };
    for (let unit = 0; unit < 0x300; unit += 1) {
      const text = `a${String.fromCharCode(unit)}b`;
      says({ text, [text]: text, long: text.repeat(100) });
    }
    const texts = fc.string({ unit: "binary", maxLength: 300 }).filter((text) => !text.includes("://"));
    const plain = fc.oneof(texts, fc.double(), fc.boolean(), fc.constantFrom(null, undefined));
    const value = fc.oneof(plain, fc.array(plain), fc.dictionary(fc.constantFrom("x", 'y"'), plain));
    fc.assert(fc.property(fc.dictionary(fc.constantFrom("a", "b_ms", "\u2028", "9"), value), says));
  });

  test("readable lines quote what a terminal would act upon", () => {
    const event = {
      level: "warn",
      time: "2025-08-25T07:09:55.123Z",
      pid: 1,
      event: "e",
      id: 7,
      name: "\u001b[2Jx",
    };
    const line = readable(JSON.stringify({ ...event, err: { stack: "Error: a\u001b[2J\n  at b" } }));
    assert.equal(line, '07:09:55.123 warn  e id=7 name="\\u001b[2Jx"\n    Error: a?[2J\n      at b\n');
  });

  test("closing writes everything, in order", async (t) => {
    const child = logger(
      t,
      3000,
      "await log.close(); log.info({ event: 'late' }); process.exit(await log.close() ? 0 : 1)",
    );
    const lines = (await text(child.stdout)).trimEnd().split("\n");
    assert.deepEqual(
      lines.map((line) => (JSON.parse(line) as { i: number }).i),
      [...Array(3000).keys()],
    );
    assert.equal(await child.exited, 0);
  });

  test("a crash loses no line", async (t) => {
    const child = logger(t, 3000, "process.exit(1)");
    assert.equal((await text(child.stdout)).trimEnd().split("\n").length, 3000);
  });

  test("a reader that has stopped costs lines, but no memory and no work", async (t) => {
    const child = logger(t, 50_000, "process.send(await log.close())");
    assert.ok((await child.reported).rssMib < 300);
    assert.equal(await child.next(), false);
  });

  test("a reader that comes back is told how many lines are gone", async (t) => {
    const child = logger(t, 50_000, "process.once('message', () => log.close().then(() => process.exit()))");
    await child.reported;
    let output = "";
    for await (const chunk of child.stdout.setEncoding("utf8")) {
      output += chunk as string;
      if (output.includes("log.dropped")) child.send("end");
    }
    const lines = output.trimEnd().split("\n");
    const last = JSON.parse(lines.at(-1)!) as { event: string; lines: number };
    assert.equal(last.event, "log.dropped");
    assert.equal(lines.length - 1 + last.lines, 50_000);
  });

  test("a reader that has gone away ends the log, not the process", async (t) => {
    const child = logger(
      t,
      1,
      `setInterval(() => log.info({ event: "more" }), 1);
       process.once("message", () => setTimeout(() => process.exit(7), 100))`,
    );
    await child.reported;
    child.stdout.destroy();
    child.send("end");
    assert.equal(await child.exited, 7);
  });
});
