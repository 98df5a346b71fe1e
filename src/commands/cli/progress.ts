const REDRAW_MS = 200;
const BAR_CHARS = 24;

/** How far long work has come, in one line that changes. */
export interface Progress {
  /** @param total null where nobody knows it */
  tell(done: number, total: number | null): void;
  /** Takes the line away. */
  end(): void;
}

/** On stderr, where that is a terminal; elsewhere it says nothing. @param what what is counted: `orders` */
export function createProgress(what: string): Progress {
  const { stderr } = process;
  if (!stderr.isTTY) return { tell: () => {}, end: () => {} };
  let [drawnAt, isDrawn] = [0, false];
  return {
    tell(done, total) {
      if (performance.now() - drawnAt < REDRAW_MS) return;
      drawnAt = performance.now();
      isDrawn = true;
      stderr.write(`\r\u001b[K${bar(done, total)}${what}`);
    },
    end() {
      if (isDrawn) stderr.write("\r\u001b[K");
    },
  };
}

function bar(done: number, total: number | null): string {
  const number = (n: number): string => n.toLocaleString("en");
  if (total === null) return `${number(done)} `;
  const filled = Math.round((BAR_CHARS * Math.min(done, total)) / Math.max(total, 1));
  return `[${"#".repeat(filled)}${" ".repeat(BAR_CHARS - filled)}] ${number(done)} of ${number(total)} `;
}
