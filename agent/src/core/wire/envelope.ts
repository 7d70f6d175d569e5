import type { Reject, RejectReason } from '../events/event.ts';
import { decompress } from './compression.ts';
import { countJsonTokens, parsePythonJson } from './json.ts';
import { isRecord, kombuParts, type Parts } from './kombu-envelope.ts';
import type { RawMessage } from './message.ts';
import { readMsgpack, readYaml } from './serializers.ts';
import { HAS_WIDE_INTEGER, PLAIN, survey } from './survey.ts';

/** Largest body that is read. */
export const MAX_BODY_BYTES = 64 << 20;
/** Largest body that a compressed one may become: a few bytes must not take the time and the memory of the largest. */
const MAX_DECOMPRESSED_BYTES = 16 << 20;
/** Most values in one body: beyond it a small text would become hundreds of megabytes of objects. */
export const MAX_BODY_VALUES = 2_000_000;
/** Below it even nothing but brackets is harmless, so the tokens need not be counted. */
const COUNT_TOKENS_ABOVE = 1 << 20;
const JSON_TYPE = 'application/json';
const DETAIL_LENGTH = 200;

export type OpenedMessage =
  | {
      /** The serializer's value: for events an object, or an array of them. */
      readonly body: unknown;
      /** Bits of `survey`: `TOO_DEEP` when something in it must not be kept. */
      readonly found: number;
    }
  | { readonly reject: Reject };

/** A message that cannot be used; stays inside this file. */
class Unreadable extends Error {
  readonly reason: RejectReason;

  constructor(reason: RejectReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

/**
 * Opens a message in kombu's order: envelope (Redis) or properties (AMQP), base64, decompression, content type
 * (kombu/transport/virtual/base.py, kombu/message.py, kombu/serialization.py). Never throws.
 */
export function openMessage(raw: RawMessage): OpenedMessage {
  return raw.properties === undefined ? openRedis(raw.payload, 0, raw.payload.length) : guarded(() => amqpParts(raw));
}

/** Opens the message of Redis that lies in `bytes` from `from` to `to`; as `openMessage`. */
export function openRedis(bytes: Buffer, from: number, to: number): OpenedMessage {
  return guarded(() => redisParts(bytes, from, to));
}

function guarded(parts: () => Parts): OpenedMessage {
  try {
    return read(parts());
  } catch (error) {
    return { reject: error instanceof Unreadable ? rejected(error.reason, error.message) : broken(error) };
  }
}

/** A reject whose detail fits a log line: at most 200 characters, control characters escaped. */
export function rejected(reason: RejectReason, detail: string): Reject {
  const printable = JSON.stringify(detail.slice(0, DETAIL_LENGTH)).slice(1, -1).replaceAll('\\"', '"');
  return { reason, detail: printable.slice(0, DETAIL_LENGTH) };
}

function broken(error: unknown): Reject {
  return rejected('body', error instanceof Error ? error.message : String(error));
}

function amqpParts({ payload, properties }: RawMessage): Parts {
  const { contentType, headers } = properties ?? {};
  return { body: payload, length: payload.length, contentType, compression: headers?.['compression'] };
}

function redisParts(bytes: Buffer, from: number, to: number): Parts {
  if (to - from > MAX_BODY_BYTES * 2) throw new Unreadable('envelope', `${to - from} bytes`);
  const common = kombuParts(bytes, from, to);
  if (common !== undefined) return common;
  const envelope = parseEnvelope(bytes.subarray(from, to));
  const headers = envelope['headers'];
  const body = envelopeBody(envelope);
  return {
    body,
    length: body.length,
    contentType: envelope['content-type'],
    compression: isRecord(headers) ? headers['compression'] : undefined,
  };
}

function parseEnvelope(payload: Buffer): Record<string, unknown> {
  refuseMillionsOfTokens(payload, payload.length, 'envelope');
  const text = payload.toString();
  let envelope: unknown;
  try {
    envelope = JSON.parse(text);
  } catch (error) {
    // Headers are user data: they may hold a NaN.
    envelope = attempt('envelope', () => parsePythonJson(text), error);
  }
  if (!isRecord(envelope)) throw new Unreadable('envelope', 'not a JSON object');
  return envelope;
}

function envelopeBody(envelope: Record<string, unknown>): Buffer {
  const { body, properties } = envelope;
  const encoding = isRecord(properties) ? properties['body_encoding'] : undefined;
  if (typeof body !== 'string') return taggedBody(body);
  if (encoding === 'base64') return fromBase64(body);
  if (encoding === undefined || encoding === null || encoding === '') return Buffer.from(body);
  if (typeof encoding === 'string' && encoding.toLowerCase() === 'utf-8') return Buffer.from(body);
  throw new Unreadable('envelope', `body_encoding ${describe(encoding)} is not read`);
}

/** Without base64 kombu's JSON encoder writes a binary body as one of its tagged values (kombu/utils/json.py). */
function taggedBody(body: unknown): Buffer {
  if (isRecord(body) && typeof body['__value__'] === 'string') {
    if (body['__type__'] === 'bytes') return Buffer.from(body['__value__']);
    if (body['__type__'] === 'base64') return fromBase64(body['__value__']);
  }
  throw new Unreadable('envelope', `body: ${describe(body)} is not text`);
}

function fromBase64(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64');
  // Node skips what is no base64 and stops at `=`, so a broken text gives fewer bytes than its length promises.
  if (bytes.length < Math.floor((text.length * 3) / 4) - 2) {
    // Python ignores the foreign characters, line breaks above all.
    const digits = text.replace(/[^A-Za-z0-9+/_-]/g, '').length;
    if (digits < text.length * 0.9) throw new Unreadable('envelope', 'body is not base64');
  }
  return bytes;
}

function read({ body: place, length, contentType, compression }: Parts): OpenedMessage {
  const isPlain = compression === undefined || compression === null || compression === '';
  if (isPlain && length > MAX_BODY_BYTES)
    throw new Unreadable('body', `${length} bytes are more than ${MAX_BODY_BYTES}`);
  if (isPlain && contentType === JSON_TYPE) return readJson(place, length);
  const sent = place.subarray(0, length);
  const body = isPlain ? sent : decompressed(sent, compression);
  switch (serializerOf(contentType)) {
    case JSON_TYPE:
      return readJson(body, body.length);
    case 'application/x-msgpack':
      // Its byte strings are slices of the body, which is used again.
      return surveyed(readMsgpack(Buffer.from(body), MAX_BODY_VALUES));
    case 'application/x-yaml':
    case 'application/yaml':
      return surveyed(readYaml(body));
    case 'application/x-python-serialize':
      throw new Unreadable('pickle', 'unpickling would run code: set event_serializer to json');
    default:
      throw new Unreadable('content-type', `${describe(contentType)} is not read`);
  }
}

function decompressed(body: Buffer, compression: unknown): Buffer {
  if (typeof compression !== 'string') throw new Unreadable('compression', `${describe(compression)} is no name`);
  return attempt('compression', () => decompress(body, compression, MAX_DECOMPRESSED_BYTES));
}

/** Without parameters such as `; charset=utf-8`, which other producers than kombu may write. */
function serializerOf(contentType: unknown): unknown {
  return typeof contentType === 'string' ? contentType.split(';', 1)[0]?.trim().toLowerCase() : contentType;
}

/** The text are the first `length` bytes. */
function readJson(body: Buffer, length: number): OpenedMessage {
  refuseMillionsOfTokens(body, length, 'body');
  const text = body.toString('utf8', 0, length);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return surveyed(attempt('body', () => parsePythonJson(text), error));
  }
  const found = survey(value);
  if (found === PLAIN || (found & HAS_WIDE_INTEGER) === 0) return { body: value, found };
  return surveyed(parsePythonJson(text));
}

function surveyed(body: unknown): OpenedMessage {
  return { body, found: survey(body) };
}

function refuseMillionsOfTokens(json: Buffer, length: number, reason: RejectReason): void {
  if (length <= COUNT_TOKENS_ABOVE) return;
  if (countJsonTokens(json.subarray(0, length), MAX_BODY_VALUES) > MAX_BODY_VALUES) {
    throw new Unreadable(reason, `more than ${MAX_BODY_VALUES} values`);
  }
}

/** Runs `work`; its failure, or `first` where one came before it, becomes the reject's detail. */
function attempt<T>(reason: RejectReason, work: () => T, first?: unknown): T {
  try {
    return work();
  } catch (error) {
    const told = first ?? error;
    throw new Unreadable(reason, told instanceof Error ? told.message : String(told));
  }
}

export { isRecord };

/** A value for a log line: its text if short, else its kind. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return value.length > 60 ? `text of ${value.length} characters` : `"${value}"`;
  if (typeof value === 'number' || typeof value === 'boolean' || value === null || value === undefined) {
    return String(value);
  }
  return Array.isArray(value) ? 'an array' : 'an object';
}
