/** What `GET /metrics` answered: values by the metric's name with its labels in the order of the text, as `a_total{b="c"}`. */
export type Scrape = ReadonlyMap<string, number>;

const SAMPLE = /^([a-z0-9_]+(?:\{.*\})?) (\S+)$/;

export function readScrape(text: string): Scrape {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => {
      const [, name = "", value = ""] = SAMPLE.exec(line) ?? [];
      if (name === "") throw new Error(`not a sample: ${line}`);
      return [name, Number(value)] as const;
    }),
  );
}

/** The samples of a metric: its labels, without the braces, and values that aren't 0. */
export function samplesOf(scrape: Scrape, metric: string): Record<string, number> {
  const found = [...scrape].filter(([name, value]) => name.replace(/\{.*/, "") === metric && value !== 0);
  return Object.fromEntries(found.map(([name, value]) => [name.slice(metric.length + 1, -1), value]));
}
