import { existsSync } from "node:fs";
import type { Config } from "../config.ts";
import type { Storage } from "../storage/open.ts";
import type { Operator } from "../storage/operators.ts";
import type { Partner } from "../storage/partners.ts";
import { isoTime } from "../lib/iso-time.ts";
import { LEGS } from "../orders/states.ts";
import { parseDatabaseUrl } from "../storage/target.ts";
import { readSchema, withAnySchema } from "./cli/database.ts";
import { reasonOf } from "./cli/failure.ts";
import { invocation } from "./cli/invocation.ts";
import { type Check, fail, ok, warn } from "./doctor-check.ts";
import { checkMapping } from "./doctor-mapping.ts";
import { placeOfUrl, reach } from "./doctor-reach.ts";
import { checkKeys, checkSecurity } from "./doctor-security.ts";
import { checkTraces } from "./doctor-traces.ts";

/** Everything that `doctor` looks at; nothing is changed. Never rejects for what it finds. */
export async function checkAll(config: Config): Promise<Check[]> {
  return [
    ok("node", `Node.js ${process.version}`),
    ...(await checkDatabase(config)),
    await checkTicketing(config),
    await checkMapping(config),
    await checkTraces(config),
    checkLease(config),
    ...checkSecurity(config),
  ];
}

async function checkDatabase(config: Config): Promise<Check[]> {
  const { databaseUrl } = config;
  const { file, inMemory, place } = parseDatabaseUrl(databaseUrl);
  if (inMemory) {
    return [warn("database", "it lives in memory", "every order ends with the process: set DATABASE_URL")];
  }
  if (file !== null && !existsSync(file)) {
    const advice = "`serve` makes it, with its schema; is DATABASE_URL the right one?";
    return [warn("database", `${place} does not exist yet`, advice), ...checkPartners(config, [])];
  }
  try {
    return await withAnySchema(config, { create: false }, async (storage) => [
      ok("database", `${place} answers`),
      ...(await checkStorage(storage, config)),
    ]);
  } catch (error) {
    return [fail("database", reasonOf(error), "check DATABASE_URL, and that the database is up")];
  }
}

async function checkStorage(storage: Storage, config: Config): Promise<Check[]> {
  const { pending, unknown, empty } = await readSchema(storage.database, config.databaseUrl);
  const findings = (await storage.database.inspect()).map(({ name, value, ok: isOk, advice }) =>
    isOk ? ok(name, value) : fail(name, value, advice ?? "accepted orders could be lost"),
  );
  const schema = checkSchema(storage, config, { pending, unknown, empty });
  if (pending.length > 0) return [schema, ...findings, ...(empty ? checkPartners(config, []) : [])];
  const partners = await storage.partners.list();
  const operators = await storage.operators.list();
  return [
    schema,
    await checkHold(storage),
    ...(await checkCircuits(storage)),
    ...findings,
    ...checkPartners(config, partners),
    checkOperators(config, operators),
    ...checkKeys(config, partners, operators),
  ];
}

async function checkHold({ readHold }: Storage): Promise<Check> {
  const hold = await readHold();
  if (hold === null) return ok("hold", "none: gateways work");
  return warn(
    "hold",
    `held since ${isoTime(hold.since)} by ${hold.actor}: ${hold.reason}`,
    `orders are accepted and wait; \`${invocation()} release\` shows what would begin, and asks`,
  );
}

/** A target that fails for everybody, as its orders are held. */
async function checkCircuits({ circuits }: Storage): Promise<Check[]> {
  const open = (await Promise.all(LEGS.map((leg) => circuits[leg].listOpen()))).flat();
  if (open.length === 0) return [ok("circuits", "all closed")];
  return open.map(({ leg, partner_id, opened_at, reason }) =>
    warn(
      "circuits",
      `${leg === "ticketing" ? "ticketing" : `callbacks of ${partner_id}`}: open since ${isoTime(opened_at)} (${reason})`,
      "orders are held and go on by themselves when the target works again; see to the target",
    ),
  );
}

function checkSchema(
  { database }: Storage,
  { autoMigrate }: Config,
  { pending, unknown, empty }: { pending: readonly string[]; unknown: readonly string[]; empty: boolean },
): Check {
  const newer = `a newer release has added ${unknown.join(", ")}`;
  if (unknown.length > 0)
    return warn("schema", newer, "run the newer release, or make sure that it is compatible");
  if (pending.length === 0) return ok("schema", "up to date");
  const lacking = `${empty ? "empty; " : ""}${pending.join(", ")} pending`;
  if (empty || autoMigrate || !database.manyProcesses) {
    return warn("schema", lacking, `\`serve\` migrates it, or \`${invocation()} migrate\` now`);
  }
  return fail("schema", lacking, `run \`${invocation()} migrate\` before \`serve\``);
}

function checkPartners(config: Config, stored: readonly Partner[]): Check[] {
  const leftOver = stored.filter(({ development }) => development && !config.dev);
  const seeds = config.partners.filter(({ id }) => !stored.some((partner) => partner.id === id));
  const known = stored.filter((partner) => !leftOver.includes(partner));
  const disabled = known.filter(({ disabledAt }) => disabledAt !== null).length;
  const count = `${known.length} stored${disabled > 0 ? `, ${disabled} of them disabled` : ""}`;
  const coming = seeds.length > 0 ? `, ${seeds.length} to be made from PARTNERS_JSON` : "";
  return [
    known.length + seeds.length === 0
      ? fail(
          "partners",
          "none",
          `set PARTNERS_JSON, or run \`${invocation()} partner add <id> --name <name>\``,
        )
      : ok("partners", count + coming),
    ...(leftOver.length > 0
      ? [
          warn(
            "partners",
            `left over from development: ${leftOver.map(({ id }) => id).join(", ")}`,
            "outside --dev they don't exist; a database of its own for production is cleaner",
          ),
        ]
      : []),
    checkSigning(config, [...known, ...seeds]),
  ];
}

function checkSigning(
  { callback }: Config,
  partners: readonly Pick<Partner, "id" | "signingSecret">[],
): Check {
  const without = partners.filter(({ signingSecret }) => signingSecret === null).map(({ id }) => id);
  if (callback.signingSecret !== null && without.length > 1) {
    return warn(
      "signing",
      `${without.length} partners share CALLBACK_SIGNING_SECRET: each could forge the others' callbacks`,
      `\`${invocation()} partner secret <id>\` gives a partner a secret of its own`,
    );
  }
  if (callback.signingSecret !== null || (partners.length > 0 && without.length === 0)) {
    return ok("signing", "callbacks are signed");
  }
  return warn(
    "signing",
    `CALLBACK_SIGNING_SECRET is not set: callbacks go unsigned to ${without.join(", ") || "every partner"}`,
    "set it, so that partners can tell a callback from a forgery",
  );
}

function checkOperators(config: Config, stored: readonly Operator[]): Check {
  const disabled = new Set(stored.filter(({ disabledAt }) => disabledAt !== null).map(({ name }) => name));
  const known = stored.filter(({ development }) => config.dev || !development);
  const names = new Set([...known, ...config.operators].map(({ name }) => name)).difference(disabled);
  if (names.size > 0) return ok("operators", [...names].join(", "));
  if (config.dev) return ok("operators", "`serve --dev` makes one at each start");
  return warn(
    "operators",
    "none",
    `only the command line can see all orders; \`${invocation()} operator add\` or OPERATORS_JSON gives access over HTTP`,
  );
}

/** Connects and hangs up: not a byte of a request is sent. */
async function checkTicketing({ ticketing, dev }: Config): Promise<Check> {
  const name = "ticketing";
  if (ticketing.url === null) {
    return dev
      ? ok(name, "the built-in sandbox")
      : fail(
          name,
          "TICKETING_URL is not set",
          "where orders are ticketed has no default: `serve` would refuse to start",
        );
  }
  const { protocol } = new URL(ticketing.url);
  const place = placeOfUrl(ticketing.url);
  const told = `${place.host}:${place.port}`;
  try {
    const address = await reach(place);
    const detail = `${told} takes connections`;
    const advice = "orders and TICKETING_AUTHORIZATION travel in the clear: use https";
    const inClear = protocol === "http:" && !/^(127\.|::1$)/.test(address);
    return inClear ? warn(name, detail, advice) : ok(name, detail);
  } catch (error) {
    const advice = "orders are accepted and wait; check TICKETING_URL and the network between";
    return fail(name, `${told} can't be reached: ${reasonOf(error)}`, advice);
  }
}

function checkLease({ leaseMs, ticketing, callback }: Config): Check {
  const deadlineMs = Math.max(ticketing.timeoutMs, callback.timeoutMs);
  return ok("lease", `${leaseMs / 1000} s, longer than the longest deadline (${deadlineMs / 1000} s)`);
}
