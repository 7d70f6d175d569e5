/** Every kind of message on the event channels that is not a usable Celery event, with the reason it must be counted under. */
import { gzipSync } from 'node:zlib';

/** @param {unknown} value */
const json = (value) => Buffer.from(JSON.stringify(value));

/** @param {Buffer} body @param {Record<string, unknown>} [over] @param {Record<string, unknown>} [headers] */
function wrapped(body, over = {}, headers = {}) {
  return json({
    body: body.toString('base64'),
    'content-encoding': 'utf-8',
    'content-type': 'application/json',
    headers,
    properties: {
      delivery_mode: 1,
      delivery_info: { exchange: 'celeryev', routing_key: 'x' },
      body_encoding: 'base64',
    },
    ...over,
  });
}

const head = { hostname: 'w1@bad', utcoffset: 0, pid: 1, clock: 1, timestamp: 1_700_000_000.5, uuid: 'bad' };
const started = { ...head, type: 'task-started' };

/** @param {Record<string, unknown>} over */
const event = (over) => wrapped(json({ ...started, ...over }));

/** `rejects`: how many events of it must be counted. */
export function malformedMessages() {
  /** @type {[name: string, reason: string, payload: Buffer, rejects?: number][]} */
  const kinds = [
    ['empty', 'envelope', Buffer.alloc(0)],
    ['plain text', 'envelope', Buffer.from('hello')],
    ['bytes', 'envelope', Buffer.from([0xff, 0xfe, 0x00, 0x80, 0xc3])],
    ['cut envelope', 'envelope', wrapped(json(started)).subarray(0, 60)],
    ['envelope is a list', 'envelope', json([])],
    ['envelope is null', 'envelope', json(null)],
    ['no body', 'envelope', json({ 'content-type': 'application/json', properties: {} })],
    ['body is a number', 'envelope', wrapped(json(started), { body: 7 })],
    ['unknown compression', 'compression', wrapped(json(started), {}, { compression: 'application/x-own' })],
    ['broken zlib', 'compression', wrapped(Buffer.from('no zlib'), {}, { compression: 'application/x-gzip' })],
    ['gzip called zlib', 'compression', wrapped(gzipSync('{}').subarray(4), {}, { compression: 'application/x-gzip' })],
    ['unknown content type', 'content-type', wrapped(json(started), { 'content-type': 'application/x-own' })],
    [
      'pickle',
      'pickle',
      wrapped(Buffer.from('\x80\x04}.', 'latin1'), { 'content-type': 'application/x-python-serialize' }),
    ],
    ['cut JSON', 'body', wrapped(json(started).subarray(0, 40))],
    ['JSON with bad UTF-8', 'body', wrapped(Buffer.from([0x7b, 0x22, 0xff, 0x22]))],
    ['broken msgpack', 'body', wrapped(Buffer.from([0xc1]), { 'content-type': 'application/x-msgpack' })],
    ['broken YAML', 'body', wrapped(Buffer.from('a: [1, "'), { 'content-type': 'application/x-yaml' })],
    ['a number', 'fields', wrapped(json(5))],
    ['null', 'fields', wrapped(json(null))],
    ['a list of numbers', 'fields', wrapped(json([1, 2])), 2],
    ['an empty object', 'fields', wrapped(json({}))],
    ['no type', 'fields', event({ type: undefined })],
    ['type is a number', 'fields', event({ type: 5 })],
    ['no uuid', 'fields', event({ uuid: undefined })],
    ['no hostname', 'fields', event({ hostname: undefined })],
    ['worker without hostname', 'fields', event({ type: 'worker-heartbeat', hostname: null })],
    ['no timestamp', 'fields', event({ timestamp: undefined })],
    ['timestamp is a text', 'fields', event({ timestamp: 'yesterday' })],
    ['timestamp is NaN', 'fields', wrapped(Buffer.from(JSON.stringify(started).replace('1700000000.5', 'NaN')))],
    ['election', 'ignored', event({ type: 'worker-elect', id: 'x', topic: 't', action: {}, cver: 1 })],
  ];
  return kinds.map(([name, reason, payload, rejects = 1]) => ({
    name,
    reason,
    payload,
    rejects,
    channel: 'task.multi',
  }));
}
