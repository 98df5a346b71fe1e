import { readFileSync } from "node:fs";
import { type ParsedJson, parseStrictJson } from "../../lib/strict-json.ts";
import { checkOrderInput } from "../../orders/order-input.ts";
import { Failure } from "./failure.ts";

const MAX_FILE_BYTES = 8 * 1024 * 1024;
const STDIN = "-";

const nameOf = (file: string): string => (file === STDIN ? "stdin" : file);

/** `-`: stdin. @throws {@link Failure} */
export function readSmallFile(file: string): Buffer {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file === STDIN ? 0 : file);
  } catch (error) {
    throw new Failure("usage", `${nameOf(file)} can't be read`, { cause: error });
  }
  if (bytes.length > MAX_FILE_BYTES)
    throw new Failure("usage", `${nameOf(file)} is over ${MAX_FILE_BYTES} bytes`);
  return bytes;
}

/** An order as partners send it, out of a JSON file. @throws {@link Failure} */
export function readOrderFile(file: string): ParsedJson {
  const parsed = parseStrictJson(readSmallFile(file));
  if (!parsed.ok) throw new Failure("usage", `${nameOf(file)}: ${parsed.detail}`);
  const checked = checkOrderInput(parsed.value, parsed.notPlainIntegers);
  if (checked.ok) return parsed;
  const problems = checked.problems.map(({ pointer, detail }) => `${pointer} ${detail}`);
  throw new Failure("usage", `${nameOf(file)} is no order as partners send it: ${problems.join("; ")}`);
}
