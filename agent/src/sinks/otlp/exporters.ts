import { diag, DiagLogLevel, type DiagLogger, SpanKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api';
import { SeverityNumber } from '@opentelemetry/api-logs';
import { OTLPLogExporter as JsonLogExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-proto';
import { OTLPTraceExporter as JsonTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { type Resource, resourceFromAttributes } from '@opentelemetry/resources';
import type { Attributes } from '../../core/telemetry/attributes.ts';
import type { LogEntry, Severity } from '../../core/telemetry/logs.ts';
import type { Span } from '../../core/telemetry/spans.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Exporter, OtlpOptions, Outcome } from './options.ts';

type ReadableSpan = Parameters<OTLPTraceExporter['export']>[0][number];
type ReadableLogRecord = Parameters<OTLPLogExporter['export']>[0][number];
type Result = Parameters<Parameters<OTLPTraceExporter['export']>[1]>[0];

interface Origin {
  readonly resource: Resource;
  readonly instrumentationScope: { readonly name: string; readonly version: string };
}

const SEVERITY_NUMBER: Readonly<Record<Severity, SeverityNumber>> = {
  INFO: SeverityNumber.INFO,
  WARN: SeverityNumber.WARN,
  ERROR: SeverityNumber.ERROR,
};

/** OpenTelemetry's exporters for spans and log records; a signal without URL has none. */
export function openExporters(
  options: OtlpOptions,
  logger: Logger,
): { readonly spans: Exporter<Span> | undefined; readonly logs: Exporter<LogEntry> | undefined } {
  diag.setLogger(diagnostics(logger), { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
  const { tracesUrl, logsUrl } = options;
  const isJson = options.protocol === 'http/json';
  const origin: Origin = {
    resource: resourceFromAttributes(options.resource),
    instrumentationScope: { name: 'umbel', version: options.version },
  };
  const TraceExporter = isJson ? JsonTraceExporter : OTLPTraceExporter;
  const LogExporter = isJson ? JsonLogExporter : OTLPLogExporter;
  return {
    spans:
      tracesUrl === undefined
        ? undefined
        : adapt(tracesUrl, new TraceExporter(settings(tracesUrl, options)), (span: Span) => readableSpan(span, origin)),
    logs:
      logsUrl === undefined
        ? undefined
        : adapt(logsUrl, new LogExporter(settings(logsUrl, options)), (entry: LogEntry) => readableLog(entry, origin)),
  };
}

function settings(url: string, { headers, compression, timeoutMs, version }: OtlpOptions) {
  type Compression = NonNullable<NonNullable<ConstructorParameters<typeof OTLPTraceExporter>[0]>['compression']>;
  return {
    url,
    headers: { ...headers },
    // The library's enumeration, which none of these packages exports; the values are the words.
    compression: compression as unknown as Compression,
    timeoutMillis: timeoutMs,
    userAgent: `umbel/${version}`,
  };
}

interface Library<R> {
  export(items: R[], done: (result: Result) => void): void;
  shutdown(): Promise<void>;
}

function adapt<T, R>(url: string, library: Library<R>, convert: (item: T) => R): Exporter<T> {
  const { origin, pathname } = new URL(url);
  return {
    displayUrl: `${origin}${pathname}`,
    export: (items) =>
      new Promise((resolve) => {
        try {
          library.export(items.map(convert), (result) => resolve(outcomeOf(result)));
        } catch (error) {
          // Encoding failed: it would again.
          resolve({ kind: 'refused', reason: error instanceof Error ? error.message : String(error) });
        }
      }),
    close: () => library.shutdown(),
  };
}

/** The library gives the HTTP status only of an answer that forbids another try. */
function outcomeOf({ error }: Result): Outcome {
  if (error === undefined) return { kind: 'taken' };
  const { code: status, data } = error as { readonly code?: unknown; readonly data?: unknown };
  const message = reasonOf(error);
  if (typeof status !== 'number') return { kind: 'away', reason: message };
  const told = typeof data === 'string' ? data.replaceAll(/[^\x20-\x7e]+/g, ' ').trim() : '';
  return { kind: 'refused', reason: `HTTP ${status} ${message}${told === '' ? '' : `: ${told.slice(0, 300)}`}` };
}

/** A host with several addresses fails with several errors and no message of its own. */
function reasonOf(error: unknown): string {
  const { message = '', errors, code } = (error ?? {}) as { message?: string; errors?: unknown; code?: unknown };
  if (message !== '') return message;
  if (Array.isArray(errors) && errors.length > 0) return errors.map(reasonOf).join('; ');
  return typeof code === 'string' ? code : 'no reason told';
}

function readableSpan(span: Span, origin: Origin): ReadableSpan {
  const { traceId, parentSpanId, start, end, error } = span;
  const contextOf = (spanId: string, trace = traceId) => ({ traceId: trace, spanId, traceFlags: TraceFlags.SAMPLED });
  const context = contextOf(span.spanId);
  return {
    ...origin,
    name: span.name,
    kind: span.kind === 'consumer' ? SpanKind.CONSUMER : SpanKind.INTERNAL,
    spanContext: () => context,
    ...(parentSpanId !== undefined && { parentSpanContext: contextOf(parentSpanId) }),
    startTime: hrTime(start),
    endTime: hrTime(end),
    duration: hrTime(Math.max(0, end - start)),
    ended: true,
    status: error === undefined ? { code: SpanStatusCode.UNSET } : { code: SpanStatusCode.ERROR, message: error },
    attributes: defined(span.attributes),
    events: span.events.map(({ name, time, attributes }) => ({
      name,
      time: hrTime(time),
      attributes: defined(attributes),
    })),
    links: span.links.map((link) => ({ context: contextOf(link.spanId, link.traceId) })),
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

function readableLog(
  { time, severity, body, attributes, traceId, spanId }: LogEntry,
  origin: Origin,
): ReadableLogRecord {
  const spanContext =
    traceId === undefined || spanId === undefined ? undefined : { traceId, spanId, traceFlags: TraceFlags.SAMPLED };
  return {
    ...origin,
    hrTime: hrTime(time),
    // Not when this agent heard of it: Loki would not see that two agents tell the same.
    hrTimeObserved: hrTime(time),
    ...(spanContext && { spanContext }),
    severityText: severity,
    severityNumber: SEVERITY_NUMBER[severity],
    body,
    attributes: defined(attributes),
    droppedAttributesCount: 0,
  };
}

function defined(attributes: Attributes): Record<string, string | number | boolean> {
  const found: Record<string, string | number | boolean> = {};
  for (const name in attributes) {
    const value = attributes[name];
    if (value !== undefined) found[name] = value;
  }
  return found;
}

/** Seconds and nanoseconds; whole microseconds, beyond which epoch seconds in a float say nothing. */
function hrTime(seconds: number): [number, number] {
  const micros = Math.round(Math.max(0, seconds) * 1e6);
  return [Math.floor(micros / 1e6), (micros % 1e6) * 1000];
}

/** What the library has to say, e.g. that the receiver took a part only. */
function diagnostics(logger: Logger): DiagLogger {
  const warn = (message: string, ...more: unknown[]): void =>
    logger.warn({ detail: more.map(String).join(' ').slice(0, 500) }, `OTLP: ${message}`);
  const silent = (): void => undefined;
  return { error: warn, warn, info: silent, debug: silent, verbose: silent };
}
