/** Reads OTLP's protobuf (opentelemetry-proto 1.x: trace.proto, logs.proto, common.proto) by its field numbers. */

type Attributes = Record<string, unknown>;

export interface ReceivedSpan {
  readonly resource: Attributes;
  readonly scope: { readonly name: string; readonly version: string };
  readonly traceId: string;
  readonly spanId: string;
  /** Empty at the root. */
  readonly parentSpanId: string;
  readonly name: string;
  /** 1 internal, 5 consumer. */
  readonly kind: number;
  /** Epoch ms. */
  readonly startMs: number;
  readonly endMs: number;
  readonly attributes: Attributes;
  readonly events: readonly { readonly name: string; readonly timeMs: number; readonly attributes: Attributes }[];
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  /** Code 0 unset, 2 error. */
  readonly status: { readonly code: number; readonly message: string };
}

export interface ReceivedLog {
  readonly resource: Attributes;
  readonly timeMs: number;
  readonly observedMs: number;
  readonly severityNumber: number;
  readonly severityText: string;
  readonly body: unknown;
  readonly attributes: Attributes;
  /** Empty where there is none. */
  readonly traceId: string;
  readonly spanId: string;
}

/** `ExportTraceServiceRequest`. */
export function readTraces(bytes: Uint8Array): ReceivedSpan[] {
  return message(bytes)
    .all(1)
    .flatMap((resourceSpans) => {
      const resource = attributes(resourceSpans.one(1), 1);
      return resourceSpans.all(2).flatMap((scopeSpans) => {
        const scope = { name: scopeSpans.one(1).text(1), version: scopeSpans.one(1).text(2) };
        return scopeSpans.all(2).map((span) => ({ resource, scope, ...spanOf(span) }));
      });
    });
}

function spanOf(span: Message): Omit<ReceivedSpan, 'resource' | 'scope'> {
  const status = span.one(15);
  return {
    traceId: span.hex(1),
    spanId: span.hex(2),
    parentSpanId: span.hex(4),
    name: span.text(5),
    kind: span.number(6),
    startMs: span.nanosAsMs(7),
    endMs: span.nanosAsMs(8),
    attributes: attributes(span, 9),
    events: span
      .all(11)
      .map((event) => ({ name: event.text(2), timeMs: event.nanosAsMs(1), attributes: attributes(event, 3) })),
    links: span.all(13).map((link) => ({ traceId: link.hex(1), spanId: link.hex(2) })),
    status: { code: status.number(3), message: status.text(2) },
  };
}

/** `ExportLogsServiceRequest`. */
export function readLogs(bytes: Uint8Array): ReceivedLog[] {
  return message(bytes)
    .all(1)
    .flatMap((resourceLogs) => {
      const resource = attributes(resourceLogs.one(1), 1);
      return resourceLogs.all(2).flatMap((scopeLogs) =>
        scopeLogs.all(2).map((record) => ({
          resource,
          timeMs: record.nanosAsMs(1),
          observedMs: record.nanosAsMs(11),
          severityNumber: record.number(2),
          severityText: record.text(3),
          body: anyValue(record.one(5)),
          attributes: attributes(record, 6),
          traceId: record.hex(9),
          spanId: record.hex(10),
        })),
      );
    });
}

function attributes(owner: Message, field: number): Attributes {
  return Object.fromEntries(owner.all(field).map((pair) => [pair.text(1), anyValue(pair.one(2))]));
}

/** `AnyValue`: of its kinds those that are used here. */
function anyValue(value: Message): unknown {
  if (value.has(1)) return value.text(1);
  if (value.has(2)) return value.number(2) === 1;
  if (value.has(3)) return value.number(3);
  if (value.has(4)) return value.double(4);
  return undefined;
}

type Field = { readonly wire: number; readonly bytes: Buffer; readonly value: bigint };

interface Message {
  has(field: number): boolean;
  one(field: number): Message;
  all(field: number): Message[];
  text(field: number): string;
  hex(field: number): string;
  number(field: number): number;
  double(field: number): number;
  nanosAsMs(field: number): number;
}

function message(given: Uint8Array): Message {
  const fields = fieldsOf(Buffer.from(given.buffer, given.byteOffset, given.byteLength));
  const last = (field: number): Field | undefined => fields.get(field)?.at(-1);
  return {
    has: (field) => fields.has(field),
    one: (field) => message(last(field)?.bytes ?? Buffer.alloc(0)),
    all: (field) => (fields.get(field) ?? []).map(({ bytes }) => message(bytes)),
    text: (field) => last(field)?.bytes.toString('utf8') ?? '',
    hex: (field) => last(field)?.bytes.toString('hex') ?? '',
    number: (field) => Number(last(field)?.value ?? 0n),
    double: (field) => last(field)?.bytes.readDoubleLE() ?? 0,
    nanosAsMs: (field) => Number((last(field)?.value ?? 0n) / 1000n) / 1000,
  };
}

function fieldsOf(bytes: Buffer): Map<number, Field[]> {
  const fields = new Map<number, Field[]>();
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes.readUInt8(at++);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const take = (length: number): Buffer => bytes.subarray(at, (at += length));
  while (at < bytes.length) {
    const key = Number(varint());
    const wire = key & 7;
    const field = fieldOf(wire, varint, take);
    fields.set(key >> 3, [...(fields.get(key >> 3) ?? []), field]);
  }
  return fields;
}

function fieldOf(wire: number, varint: () => bigint, take: (length: number) => Buffer): Field {
  if (wire === 0) return { wire, bytes: Buffer.alloc(0), value: varint() };
  if (wire === 2) return { wire, bytes: take(Number(varint())), value: 0n };
  if (wire !== 1 && wire !== 5) throw new Error(`wire type ${wire} is not OTLP's`);
  const bytes = take(wire === 1 ? 8 : 4);
  return { wire, bytes, value: wire === 1 ? bytes.readBigUInt64LE() : BigInt(bytes.readUInt32LE()) };
}
