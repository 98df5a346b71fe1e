import type { BenchDatabase } from "./databases.ts";
import type { Orders } from "./ledger.ts";
import type { Ledgers } from "./process.ts";

const FEW = 10;

/**
 * What speaks against a run: every order that was sent must have been accepted, have got tickets once, have been called
 * back once, and be delivered in the database. Nothing, when all is well.
 */
export async function faultsOf(
  { sent, seeded, problems }: Ledgers,
  database: BenchDatabase,
): Promise<string[]> {
  return [
    ...problems,
    ...faultsOfOrders("b", sent),
    ...faultsOfOrders("s", seeded),
    ...(await faultsOfRows(database, "b", sent)),
    ...(await faultsOfRows(database, "s", seeded)),
  ];
}

/** How many of the orders of a kind the database has as delivered. */
export async function deliveredRows(database: BenchDatabase, prefix: string): Promise<number> {
  const [row] = await database.query(
    `select count(*) as n from orders where ${isOf(prefix)} and pipeline_status = 'ota_callback_delivered'`,
  );
  return Number(row!["n"]);
}

function faultsOfOrders(prefix: string, orders: Orders): string[] {
  const { status, ticketed, callbacks } = orders;
  const those = (what: string, isSo: (n: number) => boolean): string[] => {
    const found: number[] = [];
    for (let n = 0; n < orders.count; n += 1) if (isSo(n)) found.push(n);
    return found.length === 0 ? [] : [`${what}: ${few(found.map((n) => `${prefix}-${n}`))}`];
  };
  const refusals = new Set([...status].filter((code) => code !== 201));
  return [
    ...[...refusals].flatMap((code) => those(`answered ${code}`, (n) => status[n] === code)),
    ...those("without tickets", (n) => ticketed[n] === 0),
    ...those("ticketed more than once", (n) => ticketed[n]! > 1),
    ...those("without a callback", (n) => callbacks[n] === 0),
    ...those("called back more than once", (n) => callbacks[n]! > 1),
  ];
}

async function faultsOfRows(database: BenchDatabase, prefix: string, { count }: Orders): Promise<string[]> {
  if (count === 0) return [];
  const names = async (text: string): Promise<string[]> =>
    (await database.query(text)).map((row) => String(row["external_order_id"]));
  const undelivered = await names(
    `select external_order_id from orders where ${isOf(prefix)} and pipeline_status <> 'ota_callback_delivered'`,
  );
  const doubled = await names(
    `select external_order_id from orders where ${isOf(prefix)} group by external_order_id having count(*) > 1`,
  );
  const delivered = await deliveredRows(database, prefix);
  return [
    ...(undelivered.length > 0 ? [`not delivered in the database: ${few(undelivered)}`] : []),
    ...(doubled.length > 0 ? [`twice in the database: ${few(doubled)}`] : []),
    ...(delivered === count ? [] : [`${count} orders were sent, the database has ${delivered} as delivered`]),
  ];
}

/** As a range, which the index on external ids serves. */
function isOf(prefix: string): string {
  return `external_order_id >= '${prefix}-' and external_order_id < '${prefix}.'`;
}

function few(names: readonly string[]): string {
  const rest = names.length - FEW;
  return names.slice(0, FEW).join(", ") + (rest > 0 ? ` and ${rest} more` : "");
}
