/** Where another tracer's span is: W3C trace context. */
export interface SpanLink {
  readonly traceId: string;
  readonly spanId: string;
}

const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(?:-.*)?$/;

/**
 * The trace context that an event carries: its own member `traceparent`, or that of its `headers`. Celery's events carry
 * none by themselves; docs/traces-and-logs.md shows how a worker adds it.
 */
export function linkOf(fields: Readonly<Record<string, unknown>>): SpanLink | undefined {
  const { traceparent = memberOf(fields['headers'], 'traceparent') } = fields;
  const match = typeof traceparent === 'string' ? TRACEPARENT.exec(traceparent.trim()) : null;
  const [, traceId, spanId] = match ?? [];
  return traceId === undefined || spanId === undefined ? undefined : { traceId, spanId };
}

function memberOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[key] : undefined;
}
