import { closeSync, openSync, writeSync } from "node:fs";
import { csvLine } from "../lib/csv-line.ts";
import { DIFFERENCE_KINDS, type Difference, type DifferenceKind } from "../orders/reconciliation.ts";
import { Failure, reasonOf } from "./cli/failure.ts";
import { invocation } from "./cli/invocation.ts";
import { brief, paint, plain, print, toJson } from "./cli/output.ts";

/** What all differences came to. */
export type Counts = Record<DifferenceKind, number>;

export function noDifferences(): Counts {
  return Object.fromEntries(DIFFERENCE_KINDS.map((kind) => [kind, 0])) as Counts;
}

/** Where differences go, one by one. */
export interface Sink {
  take(difference: Difference): void;
  end(): void;
}

const NAMES: Readonly<Record<DifferenceKind, string>> = {
  ours_only: "ours only",
  theirs_only: "theirs only",
  mismatch: "mismatch",
  repeated_ours: "repeated by us",
  repeated_theirs: "repeated by them",
  unreadable: "unreadable",
};

export function nameOf(kind: DifferenceKind): string {
  return NAMES[kind];
}

const MAX_SHOWN = 50;

/** The first few on a terminal, each with what to do. */
export function textSink(): Sink {
  let taken = 0;
  return {
    take(difference) {
      taken += 1;
      if (taken <= MAX_SHOWN) print(asText(difference));
    },
    end() {
      if (taken > MAX_SHOWN) print(`... and ${taken - MAX_SHOWN} more: --output differences.csv has all`);
      if (taken > 0) print();
    },
  };
}

function asText({ kind, key, lines, orderIds, status, fields, advice, command }: Difference): string {
  const where = [
    ...(orderIds.length === 0
      ? []
      : [`order ${orderIds.join(", ")}${status === null ? "" : ` (${status})`}`]),
    ...(lines.length === 0
      ? []
      : [`line ${lines.slice(0, 10).join(", ")}${lines.length > 10 ? ", ..." : ""}`]),
  ];
  const title = `${paint("yellow", nameOf(kind))}  ${brief(key, 128)}  ${where.join(", ")}`;
  const told = fields.map(
    ({ field, ours, theirs }) => `  ${field}: ours ${brief(ours, 60)}, theirs ${brief(theirs, 60)}`,
  );
  const how = command === null ? "" : `\n  ${paint("dim", "$")} ${invocation()} ${plain(command)}`;
  return [title, ...told, `  ${advice}${how}`].join("\n");
}

/** `{"differences": [...], "summary": {...}}`, written while it goes. */
export function jsonSink(summary: () => object): Sink {
  let isFirst = true;
  const write = (text: string): void => void process.stdout.write(text);
  write('{"differences": [');
  return {
    take(difference) {
      write(`${isFirst ? "" : ","}\n  ${toJson(asJson(difference), 0)}`);
      isFirst = false;
    },
    end: () => write(`\n],\n"summary": ${toJson(summary(), 0)}}\n`),
  };
}

function asJson({ orderIds, ...difference }: Difference): object {
  return { ...difference, order_ids: orderIds };
}

const HEAD = ["kind", "key", "lines", "order_ids", "status", "field", "ours", "theirs", "advice", "command"];

/** A row for each field that differs, or one for the difference as a whole. @throws {@link Failure} */
export function csvSink(file: string): Sink {
  const attempt = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw new Failure("usage", `${file} can't be written: ${reasonOf(error)}`, { cause: error });
    }
  };
  const descriptor = attempt(() => openSync(file, "w", 0o600));
  const write = (text: string): void => void attempt(() => writeSync(descriptor, text));
  write(csvLine(HEAD));
  return {
    take({ kind, key, lines, orderIds, status, fields, advice, command }) {
      const rows = fields.length === 0 ? [{ field: null, ours: null, theirs: null }] : fields;
      for (const { field, ours, theirs } of rows) {
        const ofAll = [kind, key, lines.join(" "), orderIds.join(" "), status];
        write(csvLine([...ofAll, field, ours, theirs, advice, command]));
      }
    },
    end: () => attempt(() => closeSync(descriptor)),
  };
}
