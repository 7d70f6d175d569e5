import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RawMessage } from '../../agent/src/core/wire/message.ts';
import { parsePythonJson } from '../../agent/src/core/wire/json.ts';

export const RECORDINGS = ['celery-4.4-redis', 'celery-5.2-redis', 'celery-5.7-rabbitmq', 'celery-5.7-redis'] as const;
export type Recording = (typeof RECORDINGS)[number];

export interface RecordedMessage {
  readonly raw: RawMessage;
  /** The body as Python decoded it: one event or a list. */
  readonly decoded: unknown;
}

/** A row of `expected-state.ndjson`. */
export interface ExpectedRow extends Readonly<Record<string, unknown>> {
  readonly order: 'wire' | 'reversed';
  readonly kind: 'task' | 'worker';
}

interface EventLine {
  readonly t: number;
  readonly decoded: unknown;
  readonly payload_b64?: string;
  readonly body_b64?: string;
  readonly routing_key?: string;
  readonly channel?: string;
  readonly properties?: { readonly content_type?: string; readonly content_encoding?: string };
  readonly headers?: Readonly<Record<string, unknown>>;
}

/** Every message of a recording in order of arrival; `receivedMs` counts from epoch second 1,795,400,000. */
export function recordedMessages(recording: Recording): RecordedMessage[] {
  return lines(recording, 'events').map((line) => {
    const event = line as EventLine;
    return { raw: toRaw(event), decoded: event.decoded };
  });
}

export function expectedState(recording: Recording): ExpectedRow[] {
  return lines(recording, 'expected-state') as ExpectedRow[];
}

function toRaw(line: EventLine): RawMessage {
  const receivedMs = 1_795_400_000_000 + line.t * 1000;
  if (line.payload_b64 !== undefined) {
    const routingKey = (line.channel ?? '').split('/').at(-1) ?? '';
    return { receivedMs, routingKey, payload: Buffer.from(line.payload_b64, 'base64') };
  }
  const { content_type: contentType, content_encoding: contentEncoding } = line.properties ?? {};
  return {
    receivedMs,
    routingKey: line.routing_key ?? '',
    payload: Buffer.from(line.body_b64 ?? '', 'base64'),
    properties: {
      ...(contentType === undefined ? {} : { contentType }),
      ...(contentEncoding === undefined ? {} : { contentEncoding }),
      headers: line.headers ?? {},
    },
  };
}

function lines(recording: Recording, file: string): unknown[] {
  const path = join(dirname(fileURLToPath(import.meta.url)), recording, `${file}.ndjson`);
  return readFileSync(path, 'utf8').trimEnd().split('\n').map(parsePythonJson);
}
