import * as fc from "fast-check";
import type { Schema } from "./document.ts";
import { anyJson, longestLike } from "./values.ts";

/** Names that mean something to JavaScript, to a database, or to a careless reader. */
const STRANGE_NAMES = ["__proto__", "constructor", "prototype", "toString", "", "\u0000", "a/b~c", "length"];
const STRANGE_TEXTS = [
  "",
  "0",
  "null",
  "\u0000",
  " ",
  "\ud800",
  "é",
  "😀",
  "\u202e",
  "'; drop table orders; --",
];
const STRANGE_NUMBERS = [0, -1, 1.5, 2 ** 31, 2 ** 53, 1e300, 5e-324];
const OTHERS: readonly unknown[] = [null, true, [], {}, [[]], [null], ...STRANGE_NUMBERS, ...STRANGE_TEXTS];

const GONE = Symbol("removed");

interface Place {
  readonly path: readonly (string | number)[];
  readonly value: unknown;
  /** Empty where nothing is said of the place. */
  readonly schema: Schema;
}

/** A value that was right, with one place of it changed: mostly it is wrong then, at times still right. */
export function damaged(values: fc.Arbitrary<unknown>, schema: Schema): fc.Arbitrary<unknown> {
  return fc.tuple(values, fc.nat(), fc.nat(), anyJson).map(([value, which, how, junk]) => {
    const places = placesIn({ path: [], value, schema });
    const place = places[which % places.length]!;
    const changes = [...changesOf(place, junk), ...OTHERS.map((other) => () => other)];
    return changed(value, place.path, changes[how % changes.length]!());
  });
}

function placesIn(place: Place): Place[] {
  const { path, value, schema } = place;
  if (typeof value !== "object" || value === null) return [place];
  const properties = (schema["properties"] ?? {}) as Record<string, Schema>;
  const inside = Object.entries(value).map(([name, one]): Place => {
    const own = Object.hasOwn(properties, name) ? properties[name] : undefined;
    return Array.isArray(value)
      ? { path: [...path, Number(name)], value: one, schema: (schema["items"] ?? {}) as Schema }
      : { path: [...path, name], value: one, schema: own ?? {} };
  });
  // A long list is as good as its beginning and its end.
  const looked = inside.length > 20 ? [...inside.slice(0, 10), ...inside.slice(-2)] : inside;
  return [place, ...looked.flatMap(placesIn)];
}

type Change = () => unknown;

/** What may come of a place, by what stands there and what its schema says. */
function changesOf({ value, schema }: Place, junk: unknown): Change[] {
  const always: Change[] = [() => GONE, () => junk, () => [value]];
  if (typeof value === "number") return [...always, ...numberChanges(value, schema)];
  if (typeof value === "string") return [...always, ...textChanges(value, schema)];
  if (Array.isArray(value)) return [...always, ...listChanges(value, schema, junk)];
  if (typeof value === "object" && value !== null) return [...always, ...objectChanges(value, schema, junk)];
  return always;
}

function numberChanges(value: number, { minimum, maximum }: Schema): Change[] {
  const edges = [minimum, maximum].map((edge) => Number(edge ?? 0));
  const beyond = edges.flatMap((edge) => [edge - 1, edge, edge + 1]);
  return [...beyond, value + 1, value - 1, value + 0.5, -value, String(value)].map((other) => () => other);
}

function textChanges(value: string, schema: Schema): Change[] {
  return [
    () => longestLike(value, schema),
    () => longestLike(value, schema) + (value.at(-1) ?? "x"),
    () => value.slice(1),
    () => value.slice(0, -1),
    () => value.toLowerCase(),
    () => value.toUpperCase(),
    () => `${value}\n`,
    () => ` ${value}`,
    () => Number(value) || 0,
    ...STRANGE_TEXTS.map((text) => () => value.slice(0, 1) + text + value.slice(1)),
  ];
}

function listChanges(value: readonly unknown[], { minItems, maxItems }: Schema, junk: unknown): Change[] {
  const [least, most] = [Number(minItems ?? 0), Number(maxItems ?? 100)];
  const lengths = [0, Math.max(0, least - 1), least, most, most + 1];
  return [
    ...lengths.map(
      (length) => () => Array.from({ length }, (_, index) => value[index % value.length] ?? junk),
    ),
    () => [...value, junk],
    () => value.slice(1),
    () => Object.fromEntries(value.entries()),
  ];
}

function objectChanges(value: object, schema: Schema, junk: unknown): Change[] {
  const known = Object.keys(schema["properties"] ?? {});
  const names = [...STRANGE_NAMES, ...known, ...known.map((name) => name.toUpperCase())];
  return [
    ...Object.keys(value).map((name) => () => withMember(value, name, GONE)),
    ...names.map((name) => () => withMember(value, name, junk)),
    () => Object.entries(value),
  ];
}

/** By definition, as an assignment to `__proto__` would make no member. */
function withMember(object: object, name: string | number, value: unknown): object {
  const others = Object.entries(object).filter(([own]) => own !== name);
  return Object.fromEntries(value === GONE ? others : [...others, [name, value]]);
}

function changed(value: unknown, [first, ...rest]: Place["path"], into: unknown): unknown {
  if (first === undefined) return into === GONE ? null : into;
  const member = (value as Record<string | number, unknown>)[first];
  const inside = rest.length === 0 ? into : changed(member, rest, into);
  if (!Array.isArray(value)) return withMember(value as object, first, inside);
  return value.toSpliced(Number(first), 1, ...(inside === GONE ? [] : [inside]));
}
