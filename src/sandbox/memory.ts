/** What is known of each key; of the keys, only the latest used are kept. */
export interface Memory<Value> {
  recall(key: string): Value;
  values(): Value[];
}

export function createMemory<Value>(create: (key: string) => Value, maxKeys = 10_000): Memory<Value> {
  const known = new Map<string, Value>();
  return {
    recall(key) {
      const value = known.get(key) ?? create(key);
      // A Map keeps the order of insertion: the key used longest ago stands first.
      known.delete(key);
      known.set(key, value);
      const [oldest] = known.keys();
      if (known.size > maxKeys && oldest !== undefined) known.delete(oldest);
      return value;
    },
    values: () => [...known.values()],
  };
}
