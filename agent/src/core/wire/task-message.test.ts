import { describe, expect, it } from '@jest/globals';
import type { NewTask } from '../control/service.ts';
import { decompress } from './compression.ts';
import { buildTaskMessage, taskEnvelope } from './task-message.ts';

const CONTEXT = { id: 'id-1', origin: 'umbel@here', nowMs: Date.UTC(2026, 0, 2) };
const task = (part: Partial<NewTask> = {}): NewTask => ({
  name: 'shop.add',
  argsJson: '[1, 2]',
  kwargsJson: '{}',
  options: {},
  ...part,
});

describe('buildTaskMessage', () => {
  it('keeps the arguments byte for byte', () => {
    const argsJson = '[12345678901234567890, 1.0, NaN,  "\\u00e9"]';
    const { body } = buildTaskMessage(task({ argsJson, kwargsJson: '{ "x": 1e400 }' }), CONTEXT);
    expect(body.toString()).toBe(
      `[${argsJson}, { "x": 1e400 }, {"callbacks": null, "errbacks": null, "chain": null, "chord": null}]`,
    );
  });

  it('writes every header of protocol 2', () => {
    const options = {
      priority: 3,
      etaMs: Date.UTC(2026, 0, 2, 3, 4, 5, 6),
      expiresMs: CONTEXT.nowMs + 5000,
      timeLimit: [10, null],
    } as const;
    const message = buildTaskMessage(task({ kwargsJson: '{"x": null}', options }), CONTEXT);
    expect(message).toMatchObject({ id: 'id-1', contentType: 'application/json', contentEncoding: 'utf-8' });
    expect(message).toMatchObject({ priority: 3, expirationMs: 5000 });
    expect(message.headers).toEqual({
      lang: 'py',
      task: 'shop.add',
      id: 'id-1',
      shadow: null,
      eta: '2026-01-02T03:04:05.006000+00:00',
      expires: '2026-01-02T00:00:05.000000+00:00',
      group: null,
      group_index: null,
      retries: 0,
      timelimit: [10, null],
      root_id: 'id-1',
      parent_id: null,
      argsrepr: '(1, 2)',
      kwargsrepr: "{'x': None}",
      origin: 'umbel@here',
      ignore_result: false,
      replaced_task_nesting: 0,
      stamped_headers: null,
      stamps: {},
    });
  });

  it("merges the caller's own headers, but not those that decide what runs", () => {
    const headers = { tenant: 7, shadow: 'other', id: 'x', task: 'x', group: 'g', compression: 'application/x-gzip' };
    const built = buildTaskMessage(task({ options: { headers } }), CONTEXT).headers;
    expect(built).toMatchObject({ tenant: 7, shadow: 'other', id: 'id-1', task: 'shop.add', group: null });
    expect(built).not.toHaveProperty('compression');
  });

  it('takes texts for display, the delivery mode and compression', () => {
    const plain = buildTaskMessage(task(), CONTEXT);
    const options = { argsrepr: '(…)', kwargsrepr: '{…}', deliveryMode: 1, compression: 'zlib' } as const;
    const message = buildTaskMessage(task({ options }), CONTEXT);
    expect(message.headers).toMatchObject({ argsrepr: '(…)', kwargsrepr: '{…}', compression: 'application/x-gzip' });
    expect(decompress(message.body, 'application/x-gzip', 1000)).toEqual(plain.body);
    const envelope = JSON.parse(taskEnvelope(message, { queue: 'q', deliveryTag: 't' })) as { properties: object };
    expect(envelope.properties).toMatchObject({ delivery_mode: 1 });
  });

  it.each([
    [{ argsJson: '{}' }, 'args'],
    [{ argsJson: '[1' }, 'args'],
    [{ argsJson: '[1], {}' }, 'args'],
    [{ kwargsJson: '[]' }, 'kwargs'],
    [{ kwargsJson: 'null' }, 'kwargs'],
    [{ name: '' }, 'name'],
    [{ options: { priority: 256 } }, 'priority'],
    [{ options: { etaMs: Number.NaN } }, 'eta'],
    [{ options: { expiresMs: 9e15 } }, 'expires'],
  ])('refuses %j', (part, field) => {
    expect(() => buildTaskMessage(task(part), CONTEXT)).toThrow(
      expect.objectContaining({ code: 'bad-argument', field }),
    );
  });
});

describe('taskEnvelope', () => {
  it('holds all that workers need', () => {
    const message = buildTaskMessage(task({ options: { priority: 6 } }), CONTEXT);
    const envelope: unknown = JSON.parse(taskEnvelope(message, { queue: 'mail', deliveryTag: 'tag' }));
    expect(envelope).toEqual({
      body: message.body.toString('base64'),
      'content-encoding': 'utf-8',
      'content-type': 'application/json',
      headers: message.headers,
      properties: {
        correlation_id: 'id-1',
        reply_to: '',
        delivery_mode: 2,
        delivery_info: { exchange: '', routing_key: 'mail' },
        priority: 6,
        body_encoding: 'base64',
        delivery_tag: 'tag',
      },
    });
  });
});
