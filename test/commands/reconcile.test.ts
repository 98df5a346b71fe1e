import assert from "node:assert/strict";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { type DatabaseUnderTest, onEachDatabase, openUrl, SQLITE } from "../support/databases.ts";
import { addPartner, startWay } from "../support/way.ts";
import { directoryFor, errorIn, run, runAlone } from "./cli.ts";

const MAP = "external_order_id=Booking,qty=Pax,amount=Total,currency=Cur,status=State,visit_date=Date";

interface Report {
  readonly differences: {
    readonly kind: string;
    readonly key: string;
    readonly order_ids: number[];
    readonly lines: number[];
    readonly fields: { field: string; ours: string; theirs: string }[];
    readonly command: string | null;
  }[];
  readonly summary: { readonly differences: Record<string, number> } & Record<string, unknown>;
}

/** A database with orders, and the command on it. */
async function prepared(t: TestContext, kind: DatabaseUnderTest) {
  const url = await kind.migratedUrl();
  const storage = openUrl(url);
  const way = await startWay({ storage });
  t.after(() => way.close());
  const directory = directoryFor(t);
  let files = 0;
  const file = (text: string | Buffer): string => {
    files += 1;
    const path = join(directory, `theirs-${files}.csv`);
    writeFileSync(path, text);
    return path;
  };
  const env = { DATABASE_URL: url };
  const reconcile = (...args: string[]) => run(["reconcile", ...args], { env, cwd: directory });
  const report = async (code: number, ...args: string[]): Promise<Report> => {
    const ended = await reconcile(...args, "--json");
    assert.deepEqual([ended.code, ended.stderr], [code, ""]);
    return JSON.parse(ended.stdout) as Report;
  };
  return { storage, way, env, directory, file, reconcile, report };
}

const item = (visit_date: string, qty = 2) => ({
  sku: "ADULT-DAY",
  qty,
  unit_price_minor: 129_900,
  currency: "THB",
  visit_date,
});

onEachDatabase("reconcile", (kind) => {
  test("a partner's daily file: what is ours only, theirs only, and what differs", async (t) => {
    const { storage, way, env, directory, file, reconcile, report } = await prepared(t, kind);
    const ids: Record<string, number> = {};
    for (const name of ["YESTERDAY", "SAME", "QTY", "LOST", "Case"]) {
      ids[name] = await way.order({ external_order_id: name, items: [item("2026-08-25")] });
    }
    await way.work();
    way.ticketing.answer((response) => response.writeHead(422).end("no"));
    ids["REFUSED"] = await way.order({ external_order_id: "REFUSED", items: [item("2026-08-25")] });
    await way.work();
    const early = Date.now() - 3 * 86_400_000;
    await storage.database.run("update orders set created_at = $1 where id = $2", [early, ids["YESTERDAY"]!]);

    const theirs = file(
      [
        "\ufeffBooking;Pax;Total;Cur;State;Date;Guest",
        "SAME;2;2.598,00;THB;Confirmed;25.08.2026;Zbigniew",
        'QTY;3;2.598,00;THB;Confirmed;25.08.2026;"a; ""b"""',
        ' case ;2;"2598,00";thb;BOOKED;2026-08-25T10:00:00;',
        "REFUSED;2;2598;THB;paid;25.08.2026;",
        "YESTERDAY;2;2598;THB;paid;25.08.2026;",
        "ONLY-THEIRS;1;100;THB;paid;25.08.2026;",
        "GONE;1;100;THB;cancelled;25.08.2026;",
        ";;;;;;",
        "",
      ].join("\r\n"),
    );
    const day = new Date().toISOString().slice(0, 10);
    const before = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
    const asked = ["--file", theirs, "--map", MAP, "--decimal", ",", "--from", before, "--to", day];
    const { differences, summary } = await report(4, ...asked);
    assert.deepEqual(
      differences.map((each) => [each.kind, each.key, each.order_ids, each.lines, each.fields, each.command]),
      [
        ["ours_only", "LOST", [ids["LOST"]], [], [], `order resend ${ids["LOST"]} --reason 'reconciliation'`],
        [
          "mismatch",
          "QTY",
          [ids["QTY"]],
          [3],
          [{ field: "qty", ours: "2", theirs: "3" }],
          `order show ${ids["QTY"]}`,
        ],
        [
          "mismatch",
          "REFUSED",
          [ids["REFUSED"]],
          [5],
          [{ field: "status", ours: "ticketing_blocked", theirs: "paid" }],
          `order retry ${ids["REFUSED"]} --reason 'reconciliation'`,
        ],
        ["theirs_only", "ONLY-THEIRS", [], [7], [], null],
      ],
    );
    assert.deepEqual(summary, {
      their_rows: 8,
      their_rows_without_key: 1,
      their_keys: 7,
      our_orders: 5,
      compared: 5,
      differences: {
        ours_only: 1,
        theirs_only: 1,
        mismatch: 2,
        repeated_ours: 0,
        repeated_theirs: 0,
        unreadable: 0,
      },
    });

    const output = ["reconcile", ...asked, "--output", "differences.csv"];
    const text = await runAlone(output, { env, cwd: directory });
    assert.equal(text.code, 4);
    assert.match(
      text.stdout,
      /^mismatch {2}QTY {2}order \d+ \(ota_callback_delivered\), line 3\n {2}qty: ours 2, theirs 3\n/m,
    );
    assert.match(text.stdout, /\n {2}\$ node .*main\.ts order retry \d+ --reason 'reconciliation'\n/);
    assert.match(text.stdout, /\nDifferences: 1 ours only, 1 theirs only, 2 mismatch\.\n$/);
    assert.doesNotMatch(text.stdout, /Zbigniew/);
    const all = readFileSync(join(directory, "differences.csv"), "utf8").split("\r\n");
    assert.equal(all.length, 6);
    assert.equal(
      all[2],
      `mismatch,QTY,3,${ids["QTY"]},ota_callback_delivered,qty,2,3,"hold it against what the partner sent; an accepted order is never changed here",order show ${ids["QTY"]}`,
    );
    assert.equal(statSync(join(directory, "differences.csv")).mode & 0o777, 0o600);

    const agreeing = file("Booking\nSAME\nQTY\ncase\nlost\nrefused\n");
    const same = await reconcile("--file", agreeing, "--map", "external_order_id=booking", "--from", before);
    assert.equal(same.code, 4, "what is refused is still sold with them");
    const ours = file("Booking\nSAME\nQTY\nCase\nlost\nyesterday\n");
    const agreed = await reconcile("--file", ours, "--map", "external_order_id=booking", "--to", before);
    assert.deepEqual([agreed.code, agreed.stderr], [0, ""]);
    assert.match(agreed.stdout, /\nAll agree\.\n$/);
  });

  test("ticketing's file, by its reference: tickets that nobody here knew of", async (t) => {
    const { way, file, report } = await prepared(t, kind);
    let orders = 0;
    way.ticketing.answer((response) => {
      orders += 1;
      response
        .writeHead(orders === 3 ? 500 : 200)
        .end(JSON.stringify({ reference: `TK-${orders}`, tickets: ["A", "B"] }));
    });
    const ids: number[] = [];
    for (const visit of ["2026-08-25", "2026-08-26", "2026-08-25"]) {
      ids.push(await way.order({ external_order_id: "EXT-1", items: [item(visit)] }));
      await way.work();
    }
    const theirs = file("No,State,Count\ntk-1,issued,2\nTK-9,issued,2\nTK-2,CNX,2\n");
    const { differences } = await report(
      4,
      "--side",
      "ticketing",
      "--file",
      theirs,
      "--map",
      "reference=No",
      "--map",
      "status=State,ticket_count=Count",
      "--words",
      "CNX=cancelled",
      "--visit-from",
      "2026-08-25",
      "--visit-to",
      "2026-08-25",
    );
    assert.deepEqual(
      differences.map((each) => [each.kind, each.key, each.order_ids]),
      [
        ["theirs_only", "TK-9", []],
        ["mismatch", "TK-2", [ids[1]]],
      ],
    );
    const byTrace = file(`trace\n${(await way.story(ids[0]!)).order.trace_id.toUpperCase()}\nnonsense\n`);
    const found = await report(
      4,
      "--side",
      "ticketing",
      "--file",
      byTrace,
      "--map",
      "trace_id=trace",
      "--visit-from",
      "2030-01-01",
    );
    assert.deepEqual(
      found.differences.map((each) => each.key),
      ["nonsense"],
    );
    const byId = file(`id\n#\n${ids[0]}\n`);
    const known = await report(
      4,
      "--side",
      "ticketing",
      "--file",
      byId,
      "--map",
      "order_id=id",
      "--visit-from",
      "2030-01-01",
    );
    assert.deepEqual(
      known.differences.map((each) => each.key),
      ["#"],
    );
  });

  test("of several partners one has to be named, by an option or a column", async (t) => {
    const { storage, way, file, reconcile, report } = await prepared(t, kind);
    await addPartner(storage, "other");
    await way.order({ external_order_id: "EXT-1" });
    const theirs = file("Booking,Seller\nEXT-1,DEMO\nEXT-1,other\n");
    const refused = await reconcile("--file", theirs, "--map", "external_order_id=Booking", "--json");
    assert.equal(refused.code, 2);
    assert.match(errorIn(refused).message, /say whose file it is/);
    const { differences } = await report(
      4,
      "--file",
      theirs,
      "--map",
      "external_order_id=Booking,partner_id=Seller",
    );
    assert.deepEqual(
      differences.map((each) => [each.kind, each.lines]),
      [["theirs_only", [3]]],
    );
    const foreign = await report(
      4,
      "--file",
      theirs,
      "--map",
      "external_order_id=Booking",
      "--partner",
      "other",
    );
    assert.deepEqual(
      foreign.differences.map((each) => each.kind),
      ["theirs_only", "theirs_only"],
      "another partner's order of the same id is none of theirs",
    );
  });
});

test("what can't be used ends with 2, and says where", async (t) => {
  const { file, reconcile } = await prepared(t, SQLITE);
  const good = file("Booking,Booking,Pax\n1,2,3\n");
  const cases: [RegExp, string, string[]][] = [
    [/line 3: the quote that begins here is never closed/, file('Booking\n1\n"2\n'), []],
    [/bytes that aren't utf-8/, file(Buffer.from("Booking\nä\n", "latin1")), []],
    [/the file is empty/, file(""), []],
    [/no-such\.csv can't be read: ENOENT/, "no-such.csv", []],
    [/--map doesn't fit the file.*there is no column Nope for qty/s, good, ["--map", "qty=Nope"]],
    [/the column Booking is there twice/, good, []],
    [/names no column that orders can be found by/, good, ["--map", "qty=Pax"]],
    [/Write field=Column/, good, ["--map", "price=Pax"]],
    [/IANA time zone/, good, ["--tz", "Moon/Base"]],
    [/Encoding Standard/, good, ["--encoding", "klingon"]],
    [/One character/, good, ["--delimiter", ";;"]],
    [/date as 2026-08-25/, good, ["--from", "25.08.2026"]],
    [/with a standing of/, good, ["--words", "CNX=gone"]],
    [/can't be written/, file("Booking\n"), ["--output", "no/such/place.csv"]],
  ];
  const results = await Promise.all(
    cases.map(([, path, more]) => {
      const map = more[1] === "qty=Pax" ? [] : ["--map", "external_order_id=Booking"];
      return reconcile("--file", path, ...map, ...more);
    }),
  );
  for (const [index, { code, stderr }] of results.entries()) {
    assert.match(stderr, cases[index]![0]);
    assert.equal(code, 2, stderr);
    assert.doesNotMatch(stderr, /\n {4}at /);
  }
});
