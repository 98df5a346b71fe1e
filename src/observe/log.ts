import { isatty } from "node:tty";
import { type DestinationStream, pino } from "pino";
import { isoTime } from "../lib/iso-time.ts";
import { logMembers } from "./log-line.ts";
import { readable } from "./readable-line.ts";

/**
 * One unit of work and everything worth knowing about it, on one line: `{event: "order.accepted", trace_id,
 * ...}`.
 */
export interface LogEvent {
  readonly event: string;
  readonly [field: string]: unknown;
}

/** What everybody takes. Never throws, never waits. */
export interface Log {
  debug(event: LogEvent): void;
  info(event: LogEvent): void;
  warn(event: LogEvent): void;
  error(event: LogEvent): void;
  /** Lines that nobody took in time, since the start; left out where none can be dropped. */
  dropped?(): number;
}

/** What the composition root holds. */
export interface OpenLog extends Log {
  /**
   * Writes what is left, for at most a second. False: the reader has stopped, and `process.exit` would wait
   * for it (it joins the thread that is in a write), so that only a signal still ends this process at once.
   */
  close(): Promise<boolean>;
}

export interface LogOptions {
  /** pino's: trace, debug, info, warn, error, fatal, silent. */
  readonly level: string;
  /** A file descriptor (1: stdout, 2: stderr) or anything that takes lines. Default: stdout. */
  readonly destination?: number | DestinationStream;
}

/** Lines wait for a slow reader up to this; then they are dropped and counted. */
const MAX_WAITING_CHARS = 4 * 1024 * 1024;
const CLOSE_TIMEOUT_MS = 1000;
/** Lines are written together when they are so many, or this old. */
const FULL_CHARS = 32 * 1024;
const MAX_WRITE_BYTES = 64 * 1024;
const FLUSH_MS = 25;
const TURN_CHARS = 16 * 1024;

/**
 * JSON lines, on a terminal readable ones. Writing is asynchronous and bounded, so that a stuck pipe costs
 * log lines and never an order; whatever waits is written when the process ends, also by a crash.
 */
export function createLog({ level, destination = 1 }: LogOptions): OpenLog {
  const sink =
    typeof destination === "object"
      ? { stream: destination, dropped: () => 0, close: async () => true }
      : open(destination);
  const isTerminal = typeof destination === "number" && isatty(destination);
  const stream = isTerminal ? { write: (line: string) => sink.stream.write(readable(line)) } : sink.stream;
  const threshold = level === "silent" ? Infinity : (pino.levels.values[level] ?? 0);
  const writing = (name: string): ((event: LogEvent) => void) => {
    if (pino.levels.values[name]! < threshold) return () => {};
    const head = `{"level":"${name}","time":"`;
    const more = `","pid":${process.pid}`;
    return (event) => stream.write(`${head}${isoTime(Date.now())}${more}${logMembers(event)}}\n`);
  };
  return {
    debug: writing("debug"),
    info: writing("info"),
    warn: writing("warn"),
    error: writing("error"),
    dropped: sink.dropped,
    close: sink.close,
  };
}

interface Sink extends Pick<OpenLog, "close"> {
  readonly stream: DestinationStream;
  dropped(): number;
}

function open(descriptor: number): Sink {
  // Handed on together at the end of a turn: with each line that it is given, the stream below measures what waits anew.
  let lines = "";
  const handOn = (): void => {
    if (lines !== "") file.write(lines);
    lines = "";
  };
  // Before the stream's own, that writes what waits.
  process.on("exit", handOn);
  const file = pino.destination({
    dest: descriptor,
    sync: false,
    minLength: FULL_CHARS,
    maxWrite: MAX_WRITE_BYTES,
    periodicFlush: FLUSH_MS,
    maxLength: MAX_WAITING_CHARS,
    mkdir: true,
  });
  let dropped = 0;
  let told = 0;
  let isOpen = true;
  file.on("drop", (text: string) => (dropped += text.split("\n").length - 1));
  file.on("drain", () => {
    if (dropped === told || !isOpen) return;
    const line = {
      level: "warn",
      time: isoTime(Date.now()),
      pid: process.pid,
      event: "log.dropped",
      lines: dropped - told,
    };
    told = dropped;
    file.write(`${JSON.stringify(line)}\n`);
  });
  // A full disk or a closed pipe: the log suffers, the orders don't.
  file.on("error", () => {});

  const close = (): Promise<boolean> => {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(() => {
      // So that no exit hook tries once more.
      file.destroy();
      resolve(false);
    }, CLOSE_TIMEOUT_MS);
    file.once("close", () => {
      clearTimeout(timer);
      resolve(true);
    });
    handOn();
    process.off("exit", handOn);
    isOpen = false;
    file.end();
    return promise;
  };
  let closed: Promise<boolean> | undefined;
  return {
    stream: {
      write(line) {
        if (!isOpen) return;
        if (lines === "") setImmediate(handOn);
        lines += line;
        if (lines.length > TURN_CHARS) handOn();
      },
    },
    dropped: () => dropped,
    close: () => (closed ??= close()),
  };
}
