/** A bar for each group: the median, and how far the runs were apart. */
export interface Bar {
  readonly label: string;
  /** WaveGate's, which stands out. */
  readonly isOwn: boolean;
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export interface Line {
  readonly label: string;
  /** At equal distances over its minutes; gaps are null. */
  readonly values: readonly (number | null)[];
  readonly minutes: number;
}

const WIDTH = 720;
const LABEL_WIDTH = 230;
const VALUE_WIDTH = 90;
const ROW = 24;
const TITLE = 30;
const PLOT = 140;
const COLOURS = ["#2f81f7", "#d29922", "#3fb950", "#f778ba"];

/** Greys and colours that can be read on light and on dark. */
const STYLE = `<style>
  text { font: 12px system-ui, sans-serif; fill: #57606a } .title { font-weight: 600 }
  .bar { fill: #a8b3bf } .own { fill: #2f81f7 } .axis { stroke: #8c959f; fill: none } .number { text-anchor: end }
  .spread { stroke: #24292f; fill: none }
  @media (prefers-color-scheme: dark) { text { fill: #b1bac4 } .bar { fill: #57606a } .own { fill: #2f81f7 } .spread { stroke: #f0f6fc } }
</style>`;

/** A panel of bars for each title, below each other. */
export function barChart(panels: readonly { title: string; bars: readonly Bar[] }[]): string {
  let y = 0;
  const parts = panels.map(({ title, bars }) => {
    const part = barPanel(title, bars, y);
    y += TITLE + bars.length * ROW;
    return part;
  });
  return svg(y + 8, parts);
}

function barPanel(title: string, bars: readonly Bar[], y: number): string {
  const most = Math.max(...bars.map(({ max }) => max)) || 1;
  const scale = (value: number): number => (value / most) * (WIDTH - LABEL_WIDTH - VALUE_WIDTH);
  const rows = bars.map(({ label, isOwn, median, min, max }, index) => {
    const top = y + TITLE + index * ROW;
    const middle = top + ROW / 2;
    return `<text x="0" y="${middle + 4}">${escaped(label)}</text>
<rect class="${isOwn ? "bar own" : "bar"}" x="${LABEL_WIDTH}" y="${top + 4}" width="${round(scale(median))}" height="${ROW - 8}" rx="2"/>
<path class="spread" d="M${round(LABEL_WIDTH + scale(min))} ${middle}H${round(LABEL_WIDTH + scale(max))}"/>
<text class="number" x="${WIDTH}" y="${middle + 4}">${shortNumber(median)}</text>`;
  });
  return [`<text class="title" x="0" y="${y + 20}">${escaped(title)}</text>`, ...rows].join("\n");
}

/** A panel of lines for each title, below each other. */
export function lineChart(panels: readonly { title: string; lines: readonly Line[] }[]): string {
  const height = TITLE + PLOT + 2 * ROW;
  const parts = panels.map(({ title, lines }, index) => linePanel(title, lines, index * height));
  return svg(panels.length * height, parts);
}

function linePanel(title: string, lines: readonly Line[], y: number): string {
  const left = 60;
  const most = Math.max(...lines.flatMap(({ values }) => values.map((value) => value ?? 0))) || 1;
  const minutes = Math.max(...lines.map((line) => line.minutes));
  const bottom = y + TITLE + PLOT;
  const drawn = lines.map(({ label, values, minutes: own }, index) => {
    const step = ((WIDTH - left) * (own / minutes)) / Math.max(1, values.length - 1);
    const points = values.flatMap((value, at) =>
      value === null ? [] : [`${round(left + at * step)},${round(bottom - (value / most) * PLOT)}`],
    );
    const colour = COLOURS[index % COLOURS.length]!;
    const x = left + index * 200;
    return `<polyline points="${points.join(" ")}" fill="none" stroke="${colour}" stroke-width="1.5"/>
<rect x="${x}" y="${bottom + ROW}" width="10" height="10" fill="${colour}"/>
<text x="${x + 16}" y="${bottom + ROW + 9}">${escaped(label)}</text>`;
  });
  return `<text class="title" x="0" y="${y + 20}">${escaped(title)}</text>
<path class="axis" d="M${left} ${y + TITLE}V${bottom}H${WIDTH}"/>
<text class="number" x="${left - 6}" y="${y + TITLE + 8}">${shortNumber(most)}</text>
<text class="number" x="${left - 6}" y="${bottom}">0</text>
<text x="${left}" y="${bottom + 16}">0 min</text>
<text class="number" x="${WIDTH}" y="${bottom + 16}">${shortNumber(minutes)} min</text>
${drawn.join("\n")}`;
}

function svg(height: number, parts: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img">
${STYLE}
${parts.join("\n")}
</svg>
`;
}

function shortNumber(value: number): string {
  return value.toLocaleString("en", { maximumFractionDigits: value < 100 ? 1 : 0 });
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
}
