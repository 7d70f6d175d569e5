import { deflateSync } from 'node:zlib';
import { encode as encodeMsgpack } from '@msgpack/msgpack';
import { decodeMessage } from '../../agent/src/core/events/decode.ts';
import type { Decoded } from '../../agent/src/core/events/event.ts';
import { ClusterState } from '../../agent/src/core/state/cluster.ts';
import { linkOf } from '../../agent/src/core/telemetry/trace-context.ts';
import { elementTexts, memberTexts } from '../../agent/src/core/wire/json-slice.ts';
import { parsePythonJson } from '../../agent/src/core/wire/json.ts';
import { decodeRawMessage, encodeRawMessage } from '../../agent/src/core/wire/message-codec.ts';
import { PickleError, pickleJson, pickleRepr, readPickle } from '../../agent/src/core/wire/pickle.ts';
import { decodeReply } from '../../agent/src/core/wire/pidbox.ts';
import { sightOfMessage } from '../../agent/src/core/heal/unheard.ts';
import { readQueuedTask } from '../../agent/src/control/message-arguments.ts';
import { readMembers, readValue, UnreadableValue } from '../../agent/src/results/stored-value.ts';
import { storedResult } from '../../agent/src/results/stored-result.ts';
import { allowing, byteText, must, type Target } from './target.ts';

const EVENT = {
  type: 'task-received',
  uuid: 't-1',
  hostname: 'celery@a',
  timestamp: 1795400000.5,
  clock: 7,
  args: '(1,)',
  kwargs: "{'a': 'b'}",
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
};
const JSON_EVENT = JSON.stringify(EVENT);
const envelope = (body: Buffer | string, more: object = {}): string =>
  JSON.stringify({
    body: Buffer.from(body).toString('base64'),
    'content-encoding': 'utf-8',
    'content-type': 'application/json',
    headers: { task: 'app.add', ticket: 't' },
    properties: { body_encoding: 'base64' },
    ...more,
  });

const CONTENT_TYPES = [
  'application/json',
  'application/x-msgpack',
  'application/x-yaml',
  'application/x-python-serialize',
  'text/plain',
];
const COMPRESSIONS = [undefined, 'application/x-gzip', 'application/x-brotli', 'application/zstd', 'application/x-bz2'];

function checkDecoded({ events, rejects }: Decoded): void {
  for (const { reason, detail } of rejects) {
    must(detail.length <= 200, `the detail of a ${reason} has ${detail.length} characters`);
    must(!/[\n\r\0]/.test(detail), `the detail of a ${reason} does not fit a line`);
  }
  const cluster = new ClusterState({ openTasks: 4, finishedTasks: 4, workers: 4, recentEvents: 8 });
  for (const event of events) {
    must(Number.isSafeInteger(event.identity) && event.identity > 0, 'an identity is no whole number');
    must(Number.isFinite(event.timestamp) && event.hostname !== '', 'an event without a time or a sender');
    linkOf(event.fields);
    cluster.apply(event, event.receivedMs);
  }
  JSON.stringify(events);
  const { openTasks, finishedTasks, workers } = cluster.counts();
  must(openTasks <= 5 && finishedTasks <= 5 && workers <= 4, 'the model holds more than it may');
}

/** The first byte chooses serializer and compression. */
function amqpMessage(bytes: Buffer) {
  const choice = bytes[0] ?? 0;
  const compression = COMPRESSIONS[Math.floor(choice / CONTENT_TYPES.length) % COMPRESSIONS.length];
  return {
    receivedMs: 1,
    routingKey: '',
    payload: bytes.subarray(1),
    properties: {
      contentType: CONTENT_TYPES[choice % CONTENT_TYPES.length] ?? '',
      headers: { ticket: 't', task: 'app.add', ...(compression !== undefined && { compression }) },
    },
  };
}

const chosen = (type: number, compression: number, body: Buffer | string): Buffer =>
  Buffer.concat([Buffer.from([type + compression * CONTENT_TYPES.length]), Buffer.from(body)]);

const MESSAGES: readonly (Buffer | string)[] = [
  chosen(0, 0, JSON_EVENT),
  chosen(
    0,
    0,
    `[${JSON_EVENT}, {"type": "worker-heartbeat", "hostname": "w", "timestamp": NaN}, 1e999, {"a": 12345678901234567890}]`,
  ),
  chosen(
    1,
    0,
    Buffer.from(encodeMsgpack([EVENT, { type: 'worker-online', hostname: 'w', timestamp: 1, ip: [1, -1, 1.5] }])),
  ),
  chosen(
    2,
    0,
    '- type: task-sent\n  uuid: t\n  hostname: g\n  timestamp: 1.5\n  when: 2024-02-29 00:00:00\n- &a [*a, .nan, 0x1F, |\n  text\n',
  ),
  chosen(0, 1, deflateSync(JSON_EVENT)),
  chosen(3, 0, byteText('\x80\x02}q\x00X\x03\x00\x00\x00a@hN s.')),
];

const PICKLES = [
  '\x80\x04\x95\x11\x00\x00\x00\x00\x00\x00\x00}\x94\x8c\x06status\x94\x8c\x07SUCCESS\x94s.',
  '\x80\x02}q\x00(X\x06\x00\x00\x00statusq\x01X\x07\x00\x00\x00FAILUREq\x02X\x06\x00\x00\x00resultq\x03cbuiltins\nValueError\nq\x04X\x01\x00\x00\x00xq\x05\x85q\x06Rq\x07u.',
  "(dp0\nS'status'\np1\nS'SUCCESS'\np2\nsS'result'\np3\n(lp4\nI1\naL10L\naF1.5\naVa\\u00e9\nag4\nas.",
  '\x80\x02cdatetime\ndatetime\nq\x00U\n\x07\xea\x07\x01\x02\x03\x00\x00\x00\x00q\x01\x85q\x02Rq\x03.',
  '\x80\x04(K\x01M\x00\x01J\xff\xff\xff\xffG?\xf8\x00\x00\x00\x00\x00\x00\x8a\x02\xff\x00\x88\x89NC\x01a\x8f(K\x01\x90(K\x02\x91t.',
  "(S'rm -rf x'\nios\nsystem\n.",
].map(byteText);

function checkPickle(bytes: Buffer): void {
  const value = allowing([PickleError], () => readPickle(bytes, { maxOps: 20_000 }));
  if (value === undefined) return;
  must(pickleRepr(value, 500).length <= 500, 'a repr is longer than asked for');
  const json = pickleJson(value, 500);
  if (json !== undefined) parsePythonJson(json);
}

function checkStored(bytes: Buffer): void {
  const value = readValue(bytes);
  must(value.json !== null || value.repr !== null, 'a value that is nothing');
  if (value.json !== null) parsePythonJson(value.json);
  const members = allowing([UnreadableValue], () => readMembers(bytes));
  const result = members && storedResult('t', members);
  if (result?.resultJson !== undefined && result.resultJson !== null) parsePythonJson(result.resultJson);
}

function checkSlices(text: string): void {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    elementTexts(text);
    memberTexts(text);
    return;
  }
  const elements = elementTexts(text);
  if (Array.isArray(parsed))
    must(
      JSON.stringify(elements?.map((one) => JSON.parse(one) as unknown)) === JSON.stringify(parsed),
      'elements differ',
    );
  const members = memberTexts(text);
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    must(members === undefined, 'members of none');
  else must(members?.size === Object.keys(parsed).length, 'members differ');
}

export const WIRE_TARGETS: readonly Target[] = [
  {
    name: 'redis-message',
    seeds: [
      envelope(JSON_EVENT),
      envelope(`[${JSON_EVENT}]`, { body: { __type__: 'base64', __value__: 'e30=' } }),
      envelope(deflateSync(JSON_EVENT), { headers: { compression: 'application/x-gzip' } }),
    ],
    check: (payload) => checkDecoded(decodeMessage({ receivedMs: 1, routingKey: 'task.multi', payload })),
  },
  { name: 'amqp-message', seeds: MESSAGES, check: (bytes) => checkDecoded(decodeMessage(amqpMessage(bytes))) },
  {
    name: 'pidbox-reply',
    seeds: [
      ...[
        chosen(0, 0, '{"a@h": {"ok": "pong"}}'),
        chosen(2, 0, 'a@h: {error: x}\n'),
        chosen(0, 0, '{"a": {"error": [1, {"b": null}]}}'),
      ],
      ...[
        chosen(3, 0, byteText('\x80\x02}q\x00X\x03\x00\x00\x00a@hN s.')),
        chosen(1, 0, Buffer.from(encodeMsgpack({ a: { ok: 1 } }))),
      ],
    ],
    check: (bytes) => {
      const answers = decodeReply(amqpMessage(bytes), 't') ?? [];
      for (const answer of answers)
        must(typeof answer.worker === 'string' && JSON.stringify(answer) !== '', 'an answer without a worker');
      decodeReply({ receivedMs: 1, routingKey: '', payload: bytes }, 't');
    },
  },
  {
    name: 'queued-task',
    seeds: [envelope('[[1, 2.0], {"a": 12345678901234567890}, {"chord": null}]'), envelope('{}', { headers: {} })],
    check: (payload) => {
      const task = readQueuedTask({ receivedMs: 1, routingKey: '', payload });
      must(typeof task === 'string' || task.argsJson !== '', 'a task without arguments');
      const sight = sightOfMessage({ receivedMs: 1, routingKey: '', payload });
      must(sight === undefined || sight.taskId !== '', 'a task without an id');
    },
  },
  {
    name: 'segment',
    seeds: [
      encodeRawMessage({
        receivedMs: 1,
        routingKey: 'k',
        payload: Buffer.from('body'),
        properties: { contentType: 'x' },
        delivery: { session: 1, tag: 2 },
      }),
      encodeRawMessage({ receivedMs: 1, routingKey: '', payload: Buffer.alloc(0) }),
      encodeRawMessage({
        receivedMs: 1,
        routingKey: '',
        payload: Buffer.from(`${envelope(JSON_EVENT)}\r\n${envelope(`[${JSON_EVENT}]`)}`),
        spans: Uint32Array.of(0, envelope(JSON_EVENT).length, envelope(JSON_EVENT).length + 2, 1000),
      }),
    ].map((pieces) => Buffer.concat(pieces)),
    check: (bytes) => {
      const message = decodeRawMessage(bytes);
      if (message === undefined) return;
      must(message.payload.length <= bytes.length, 'a payload that was not there');
      must(Math.max(0, ...(message.spans ?? [])) <= message.payload.length, 'a message beyond the end of its run');
      checkDecoded(decodeMessage(message));
    },
  },
  { name: 'pickle', seeds: PICKLES, check: checkPickle },
  {
    name: 'stored-result',
    seeds: [
      ...PICKLES,
      ...[
        '{"status": "SUCCESS", "result": [1, NaN, 1e3], "traceback": null, "date_done": "2026-01-02T03:04:05"}',
        'status: SUCCESS\nresult: [1, 2]\n',
      ],
      ...[
        Buffer.from(encodeMsgpack({ status: 'FAILURE', result: { exc_type: 'V', exc_message: ['x'] } })),
        byteText(`\0celery-compressed\0gzip\0${deflateSync('{"status": "SUCCESS"}').toString('latin1')}`),
      ],
    ],
    check: checkStored,
  },
  {
    name: 'json-slices',
    seeds: ['[1, "a,]\\"", {"b": [2]}]', '{"a": [1, {"b": "}"}], "a\\u0062": 1.50, "": null}', '[]'],
    check: (bytes) => checkSlices(bytes.toString()),
  },
];
