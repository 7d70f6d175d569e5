import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { RawMessage } from '../wire/message.ts';
import { decodeMessage, MAX_EVENTS } from './decode.ts';
import { eventIdentity } from './identity.ts';

const TASK = { type: 'task-received', uuid: 't-1', hostname: 'celery@a', timestamp: 1795400000.5, clock: 7 };
const WORKER = { type: 'worker-heartbeat', hostname: 'celery@a', timestamp: 1795400000.5, clock: 8, freq: 2 };

function message(json: string): RawMessage {
  return {
    receivedMs: 99,
    routingKey: '',
    payload: Buffer.from(json),
    properties: { contentType: 'application/json' },
  };
}

const decode = (value: unknown) => decodeMessage(message(JSON.stringify(value)));
const rejectOf = (value: unknown) => {
  const { events, rejects } = decode(value);
  expect(events).toEqual([]);
  expect(rejects).toHaveLength(1);
  return rejects[0];
};

describe('decodeMessage', () => {
  it('gives the checked head and the whole body of an event', () => {
    expect(decode({ ...TASK, name: 'app.add', args: null }).events).toEqual([
      {
        type: 'task-received',
        group: 'task',
        subject: 'received',
        hostname: 'celery@a',
        uuid: 't-1',
        timestamp: 1795400000.5,
        clock: 7,
        identity: eventIdentity('celery@a', 'task-received', 't-1', 7, 1795400000.5),
        receivedMs: 99,
        fields: { ...TASK, name: 'app.add', args: null },
      },
    ]);
    expect(decode(WORKER).events[0]).toMatchObject({ group: 'worker', subject: 'heartbeat', uuid: '', clock: 8 });
  });

  it('keeps custom events, whatever they carry', () => {
    const more = { when: { __type__: 'datetime', __value__: 'x' }, nul: '\u0000', lone: '\ud800', '': [] };
    for (const type of ['task-my-progress', 'task-', 'task', 'worker-custom', 'worker']) {
      const [event] = decode({ ...TASK, ...more, type }).events;
      expect(event).toMatchObject({ type, subject: type.split('-').slice(1).join('-'), fields: more });
    }
  });

  it('does not lose the good events between bad ones', () => {
    const { events, rejects } = decode([
      TASK,
      null,
      { ...TASK, uuid: 5 },
      WORKER,
      'x',
      [TASK],
      { type: 'task-x' },
      TASK,
    ]);
    expect(events.map((event) => event.type)).toEqual(['task-received', 'worker-heartbeat', 'task-received']);
    expect(rejects.map((reject) => reject.reason)).toEqual(['fields', 'fields', 'fields', 'fields', 'fields']);
  });

  it.each<[string, object]>([
    ['type is undefined', { ...TASK, type: undefined }],
    ['type is 5', { ...TASK, type: 5 }],
    ['type: "nonsense" has no group', { ...TASK, type: 'nonsense' }],
    ['type: "" has no group', { ...TASK, type: '' }],
    ['task-received: uuid is undefined', { ...TASK, uuid: undefined }],
    ['task-received: uuid is null', { ...TASK, uuid: null }],
    ['task-received: uuid is ""', { ...TASK, uuid: '' }],
    ['task-received: uuid is an object', { ...TASK, uuid: {} }],
    ['task-received: uuid is text of 513 characters', { ...TASK, uuid: 'x'.repeat(513) }],
    ['task-received: hostname is undefined', { ...TASK, hostname: undefined }],
    ['worker-heartbeat: hostname is an array', { ...WORKER, hostname: [] }],
    ['task-received: timestamp is undefined', { ...TASK, timestamp: undefined }],
    ['task-received: timestamp is "1795400000.5"', { ...TASK, timestamp: '1795400000.5' }],
    ['task-received: timestamp is true', { ...TASK, timestamp: true }],
  ])('rejects where %s', (detail, value) => expect(rejectOf(value)).toEqual({ reason: 'fields', detail }));

  it('rejects timestamps that are no instant', () => {
    for (const word of ['NaN', 'Infinity', '-Infinity', '1e999', '123456789012345678901']) {
      const json = JSON.stringify(TASK).replace('1795400000.5', word);
      expect(decodeMessage(message(json)).rejects[0]?.reason).toBe('fields');
    }
    expect(decode({ ...TASK, timestamp: -1e300 }).events).toHaveLength(1);
  });

  it('takes a clock that is none for 0', () => {
    for (const clock of [undefined, null, '7', 1.5, 1e300, [], {}, true]) {
      expect(decode({ ...TASK, clock }).events[0]).toMatchObject({ clock: 0 });
    }
    const wide = JSON.stringify(TASK).replace('"clock":7', '"clock":9007199254740993');
    expect(decodeMessage(message(wide)).events[0]).toMatchObject({
      clock: 0,
      fields: { clock: { digits: '9007199254740993' } },
    });
  });

  it('counts groups without state, and elections, as ignored', () => {
    for (const type of ['custom-thing', 'worker-elect', 'worker-elect-ack', '-x', 'Task-received']) {
      expect(rejectOf({ ...WORKER, type })).toEqual({ reason: 'ignored', detail: type });
    }
  });

  it('rejects only the event that is nested too deep', () => {
    const bomb = `${'['.repeat(5000)}${']'.repeat(5000)}`;
    const json = `[${JSON.stringify(TASK)}, {"type": "task-x", "uuid": "t", "hostname": "h", "timestamp": 1, "x": ${bomb}}]`;
    const { events, rejects } = decodeMessage(message(json));
    expect(events).toHaveLength(1);
    expect(rejects).toEqual([{ reason: 'fields', detail: 'task-x: nested deeper than 500' }]);
  });

  it('takes keys of prototypes for keys', () => {
    const [event] = decodeMessage(
      message(JSON.stringify(TASK).replace('{', '{"__proto__": {"uuid": "x"}, "constructor": 1, ')),
    ).events;
    expect(event?.uuid).toBe('t-1');
    expect(Object.keys(event?.fields ?? {})).toContain('__proto__');
    const { rejects } = decodeMessage(
      message('{"__proto__": {"type": "task-x", "uuid": "u", "hostname": "h", "timestamp": 1}}'),
    );
    expect(rejects).toEqual([{ reason: 'fields', detail: 'type is undefined' }]);
  });

  it('has a limit to the events of one message', () => {
    const many = message(`[${'0,'.repeat(MAX_EVENTS)}0]`);
    expect(decodeMessage(many)).toEqual({
      events: [],
      rejects: [{ reason: 'body', detail: '100001 events in one message' }],
    });
    expect(decode([])).toEqual({ events: [], rejects: [] });
  });

  it('passes on why a message could not be opened', () => {
    const decoded = decodeMessage({ receivedMs: 1, routingKey: '', payload: Buffer.from('\n\u0007{') });
    expect(decoded).toMatchObject({ events: [], rejects: [{ reason: 'envelope' }] });
    // No control character reaches a log line.
    expect(decoded.rejects[0]?.detail).toMatch(/^[ -~]{1,200}$/);
  });

  it('decodes every message of a run but the bad ones, each of which is one reject', () => {
    const envelope = (body: string): string =>
      `{"body": "${Buffer.from(body).toString('base64')}", "content-type": "application/json", "properties": {"body_encoding": "base64"}}`;
    const texts = [
      envelope(JSON.stringify([TASK, WORKER])),
      'no envelope',
      '',
      envelope('{"a":'),
      envelope(JSON.stringify(TASK)),
    ];
    const spans: number[] = [];
    let payload = '';
    for (const text of texts) {
      payload += '$9\r\n';
      spans.push(payload.length, payload.length + text.length);
      payload += text;
    }
    const run = { receivedMs: 7, routingKey: '', payload: Buffer.from(payload), spans: Uint32Array.from(spans) };
    const { events, rejects } = decodeMessage(run);
    expect(events.map(({ type, receivedMs }) => [type, receivedMs])).toEqual([
      ['task-received', 7],
      ['worker-heartbeat', 7],
      ['task-received', 7],
    ]);
    expect(rejects.map(({ reason }) => reason)).toEqual(['envelope', 'envelope', 'body']);
  });

  it('never throws, and answers for every item', () => {
    const item = fc.oneof(
      fc.jsonValue({ maxDepth: 3 }),
      fc.record(
        {
          type: fc.oneof(fc.constantFrom('task-received', 'worker-online', 'task-x'), fc.jsonValue({ maxDepth: 1 })),
          uuid: fc.oneof(fc.string(), fc.jsonValue({ maxDepth: 1 })),
          hostname: fc.oneof(fc.string(), fc.jsonValue({ maxDepth: 1 })),
          timestamp: fc.oneof(fc.double(), fc.jsonValue({ maxDepth: 1 })),
          clock: fc.jsonValue({ maxDepth: 1 }),
        },
        { requiredKeys: [] },
      ),
    );
    fc.assert(
      fc.property(fc.array(item, { maxLength: 8 }), (items) => {
        const { events, rejects } = decode(items);
        expect(events.length + rejects.length).toBe(items.length);
        for (const { detail } of rejects) expect(detail.length).toBeLessThanOrEqual(200);
      }),
      { numRuns: 300 },
    );
  });
});

describe('eventIdentity', () => {
  it('is the same in every release: the history keeps it', () => {
    expect(eventIdentity('celery@a', 'task-received', 't-1', 7, 1795400000.5)).toBe(5996891148829202);
    expect(eventIdentity('', '', '', 0, 0)).toBe(7618460599376206);
  });

  it('takes the two zeros for one', () => {
    expect(eventIdentity('h', 't', 'u', -0, -0)).toBe(eventIdentity('h', 't', 'u', 0, 0));
  });

  it('tells apart what differs in one part, and does not run the parts together', () => {
    const seen = new Set<number>();
    let made = 0;
    for (const hostname of ['a', 'ab', 'b', 'celery@a'])
      for (const type of ['task-x', 'btask-x', 'task-y'])
        for (const uuid of ['', 'b', 'u-1', 'u-2'])
          for (const clock of [0, 1, 2, 65536, 4294967296])
            for (const timestamp of [0, 1, 1795400000.5, 1795400000.5000002]) {
              seen.add(eventIdentity(hostname, type, uuid, clock, timestamp));
              made++;
            }
    expect(seen.size).toBe(made);
  });

  it('spreads over 53 bits: no collision in 200,000 like events', () => {
    const seen = new Set<number>();
    for (let i = 0; i < 200_000; i++) {
      seen.add(eventIdentity('celery@a', 'task-started', `${i % 1000}-u`, i, 1795400000 + Math.floor(i / 7) * 1e-4));
    }
    expect(seen.size).toBe(200_000);
    expect(Math.max(...[...seen].slice(0, 1000))).toBeGreaterThan(2 ** 52);
    expect([...seen].every((identity) => Number.isSafeInteger(identity) && identity > 0)).toBe(true);
  });
});
