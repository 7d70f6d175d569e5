import { describe, expect, it } from '@jest/globals';
import { buildTaskMessage, taskEnvelope } from '../wire/task-message.ts';
import type { RawMessage } from '../wire/message.ts';
import type { Healed } from './finding.ts';
import { fillIn, sightOfMessage, sightsOfReply, together } from './unheard.ts';

const REQUEST = {
  ...{ id: 't-1', name: 'shop.sleep', args: [25, 'x'], kwargs: { a: null }, type: 'shop.sleep', hostname: 'w@h' },
  ...{
    time_start: null,
    acknowledged: false,
    delivery_info: { exchange: '', routing_key: 'celery' },
    worker_pid: null,
  },
};
const RECEIVED: Healed = { kind: 'healed', source: 'inspect', state: 'RECEIVED', at: null, worker: 'w@h' };
const PENDING: Healed = { kind: 'healed', source: 'queue', state: 'PENDING', at: null };
const raw = (envelope: string): RawMessage => ({ receivedMs: 1, routingKey: 'mail', payload: Buffer.from(envelope) });

describe('the reply of a worker', () => {
  it('tells what it runs, since when, and with the texts of the arguments that events have', () => {
    const request = { ...REQUEST, args: "(25, 'x')", kwargs: "{'a': None}", time_start: 1000.5 };
    expect(sightsOfReply('active', 'w@h', [request])).toEqual([
      {
        taskId: 't-1',
        routingKey: 'celery',
        state: {
          ...{ kind: 'healed', source: 'inspect', state: 'STARTED', at: 1000.5, worker: 'w@h' },
          ...{ name: 'shop.sleep', args: "(25, 'x')", kwargs: "{'a': None}" },
        },
      },
    ]);
  });

  it('tells what it has taken, and what waits there for its time', () => {
    const told = { ...RECEIVED, name: 'shop.sleep', args: "(25, 'x')", kwargs: "{'a': None}" };
    expect(sightsOfReply('reserved', 'w@h', [REQUEST])).toMatchObject([{ taskId: 't-1', state: told }]);
    const eta = '2026-11-27T21:00:00+00:00';
    expect(sightsOfReply('scheduled', 'w@h', [{ eta, priority: 6, request: REQUEST }])).toMatchObject([
      { taskId: 't-1', state: { ...told, eta } },
    ]);
  });

  it('may be anything', () => {
    const replies = [null, 'no', {}, [null], [{}], [{ id: 1, name: 'a' }], [{ id: '', name: 'a' }], [{ id: 't' }]];
    for (const reply of replies) expect(sightsOfReply('scheduled', 'w@h', reply)).toEqual([]);
    expect(sightsOfReply('active', 'w@h', [{ id: 't', name: 'a', time_start: 'x', delivery_info: 1 }])).toEqual([
      { taskId: 't', routingKey: '', state: { ...RECEIVED, state: 'STARTED', name: 'a' } },
    ]);
  });
});

describe('a message in a queue', () => {
  const build = (headers: Record<string, unknown> = {}): string => {
    const task = { name: 'shop.add', argsJson: '[1, 2.0]', kwargsJson: '{}' };
    const context = { id: 't-1', origin: 'gen1@web', nowMs: 0 };
    const options = { etaMs: Date.UTC(2027, 0, 1), headers: { root_id: 'r', parent_id: 'p' } };
    const message = buildTaskMessage({ ...task, options }, context);
    const place = { queue: 'mail', deliveryTag: 'd' };
    return taskEnvelope({ ...message, headers: { ...message.headers, ...headers } }, place);
  };
  const TOLD = {
    ...PENDING,
    name: 'shop.add',
    args: '(1, 2.0)',
    kwargs: '{}',
    retries: 0,
    root_id: 'r',
    parent_id: 'p',
  };

  it('tells of its task what its event would have told', () => {
    expect(sightOfMessage(raw(build()))).toEqual({
      taskId: 't-1',
      routingKey: 'mail',
      state: { ...TOLD, eta: '2027-01-01T00:00:00.000000+00:00' },
    });
  });

  it('of a publisher that writes no texts of the arguments has them in its body', () => {
    const sight = sightOfMessage(raw(build({ argsrepr: undefined, kwargsrepr: undefined })));
    expect(sight?.state).toMatchObject({ args: '(1, 2)', kwargs: '{}' });
  });

  it('of protocol 1 has all in its body', () => {
    const body = { id: 't-1', task: 'shop.add', args: [1], kwargs: { b: 'x' }, retries: 2, eta: null, expires: null };
    const envelope = { body: Buffer.from(JSON.stringify(body)).toString('base64'), 'content-type': 'application/json' };
    const sight = sightOfMessage(raw(JSON.stringify({ ...envelope, properties: { body_encoding: 'base64' } })));
    const told = { name: 'shop.add', args: '(1,)', kwargs: "{'b': 'x'}", retries: 2 };
    expect(sight).toEqual({ taskId: 't-1', routingKey: 'mail', state: { ...PENDING, ...told } });
  });

  it('may be anything', () => {
    for (const text of ['', 'no', '[]', '{}', '{"body": ""}', '{"body": "e30=", "headers": {"task": 1}}']) {
      expect(sightOfMessage(raw(text))).toBeUndefined();
    }
  });
});

it('what a worker tells of a task is stronger than its message, which has the arguments as they were sent', () => {
  const ofWorker: Healed = { ...RECEIVED, name: 'a', args: '(1,)' };
  const ofMessage: Healed = { ...PENDING, name: 'a', args: '(1.0,)', queue: 'mail', retries: 1 };
  const both = { ...ofWorker, args: '(1.0,)', queue: 'mail', retries: 1 };
  expect(together(ofWorker, ofMessage)).toEqual(both);
  expect(together(ofMessage, ofWorker)).toEqual(both);
});

it('what was seen fills in what later events do not tell, but where the task may be in another run', () => {
  const seen: Healed = { ...RECEIVED, state: 'STARTED', at: 1000, name: 'a' };
  expect(fillIn({ state: 'SUCCESS' }, seen)).toEqual({ ...seen, state: 'RECEIVED', at: null });
  expect(fillIn({ state: 'STARTED' }, seen)?.name).toBe('a');
  for (const state of ['RETRY', 'RECEIVED', 'PENDING']) expect(fillIn({ state }, seen)).toBeUndefined();
});
