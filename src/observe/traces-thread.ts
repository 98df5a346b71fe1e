import { hostname } from "node:os";
import { parentPort, workerData } from "node:worker_threads";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import {
  defaultResource,
  detectResources,
  resourceAttributesEnvDetector,
  resourceFromAttributes,
  serviceNameEnvDetector,
} from "@opentelemetry/resources";
import { BatchSpanProcessor, type ReadableSpan, type SpanExporter } from "@opentelemetry/sdk-trace";
import packageJson from "../../package.json" with { type: "json" };
import { type Span, spansOf } from "./traces-spans.ts";
import type { FromThread, Told, TracesTarget, ToThread } from "./traces.ts";

// The other side of traces.ts: makes spans of what it is told, and sends them.

const { endpoint, database, role } = workerData as TracesTarget;
const port = parentPort!;
const say = (message: FromThread): void => port.postMessage(message);

const MAX_WAITING = 8_192;
const MAX_BATCH = 512;
/** How long a span waits for company. */
const DELAY_MS = 1_000;

const resource = defaultResource()
  .merge(
    resourceFromAttributes({
      "service.name": "wavegate",
      "service.version": packageJson.version,
      "service.instance.id": `${hostname()}:${process.pid}`,
      "host.name": hostname(),
      "process.pid": process.pid,
      "wavegate.role": role,
    }),
  )
  // What the environment says goes before ours.
  .merge(detectResources({ detectors: [resourceAttributesEnvDetector, serviceNameEnvDetector] }));
const instrumentationScope = { name: "wavegate", version: packageJson.version };

/** Spans that the processor holds (one more than it may would be dropped without a word), and that are being sent. */
let waiting = 0;
let sending = 0;
const exporter = createExporter();
const processor = new BatchSpanProcessor({
  exporter: {
    export(spans, done) {
      waiting -= spans.length;
      sending += spans.length;
      exporter.export(spans, (result) => {
        sending -= spans.length;
        say({ unsent: waiting + sending });
        if (result.error !== undefined) say({ lost: spans.length, reason: reasonOf(result.error) });
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
  },
  maxQueueSize: MAX_WAITING,
  maxExportBatchSize: MAX_BATCH,
  scheduledDelayMillis: DELAY_MS,
});

function createExporter(): SpanExporter {
  // The endpoint of traces alone goes before the one of all signals (OpenTelemetry's OTLP exporter specification).
  if (process.env["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"]) return new OTLPTraceExporter();
  return new OTLPTraceExporter({ url: `${endpoint.replace(/\/$/, "")}/v1/traces` });
}

/** Without what a collector may have answered. */
function reasonOf(error: Error): string {
  const { code } = error as Error & { readonly code?: unknown };
  return typeof code === "string" || typeof code === "number" ? String(code) : error.name;
}

/** @returns whether there is room for it */
function hand(span: Span): boolean {
  if (waiting >= MAX_WAITING) return false;
  waiting += 1;
  processor.onEnd(readable(span));
  return true;
}

const KINDS = { internal: 0, server: 1, client: 2 } as const;
const UNSET = 0;
const ERROR = 2;
const SAMPLED = 1;

function readable({
  traceId,
  parentId,
  kind,
  attributes,
  failed,
  link,
  moments,
  ...span
}: Span): ReadableSpan {
  const context = (spanId: string) => ({ traceId, spanId, traceFlags: SAMPLED });
  const own = context(span.spanId);
  return {
    name: span.name,
    kind: KINDS[kind],
    spanContext: () => own,
    ...(parentId === null ? {} : { parentSpanContext: context(parentId) }),
    startTime: asPair(span.startMs),
    endTime: asPair(span.endMs),
    duration: asPair(span.endMs - span.startMs),
    status: { code: failed ? ERROR : UNSET },
    attributes: Object.fromEntries(
      Object.entries(attributes).filter(
        (entry): entry is [string, string | number | boolean] => entry[1] !== null,
      ),
    ),
    links:
      link === null
        ? []
        : [
            {
              context: { traceId: link.traceId, spanId: link.spanId, traceFlags: link.flags, isRemote: true },
            },
          ],
    events: moments.map(({ name, atMs }) => ({ name, time: asPair(atMs), attributes: {} })),
    ended: true,
    resource,
    instrumentationScope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

/** Seconds and nanoseconds. */
function asPair(ms: number): [number, number] {
  const micros = Math.round(ms * 1_000);
  return [Math.floor(micros / 1_000_000), (micros % 1_000_000) * 1_000];
}

function take(told: readonly Told[]): void {
  const spans = told.flatMap(({ event, trace, atMs }) => spansOf(event, { trace, endMs: atMs, database }));
  const lost = spans.filter((span) => !hand(span)).length;
  if (lost > 0) say({ lost, reason: "too many" });
  say({ taken: told.length });
  say({ unsent: waiting + sending });
}

port.on("message", (message: ToThread) => {
  if (message !== "close") return take(message);
  const end = (): void => say("closed");
  void processor.shutdown().then(end, end);
});
