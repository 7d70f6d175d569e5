import { describe, expect, it } from '@jest/globals';
import { encode as encodeMsgpack } from '@msgpack/msgpack';
import type { ControlRequest } from '../control/command.ts';
import { controlEnvelope, controlNames, decodeReply, encodeControl, replyQueue, UNKNOWN_WORKER } from './pidbox.ts';

const NAMES = controlNames('celery');
const ping: ControlRequest = { method: 'ping', arguments: {}, target: { kind: 'all' } };

function reply(contentType: string, body: Uint8Array | string, ticket = 't'): Buffer {
  return Buffer.from(
    JSON.stringify({
      body: Buffer.from(body).toString('base64'),
      'content-type': contentType,
      headers: { ticket, clock: 3 },
      properties: { body_encoding: 'base64' },
    }),
  );
}
const decoded = (payload: Buffer) => decodeReply({ receivedMs: 0, routingKey: '', payload }, 't');

describe('encodeControl', () => {
  const body = (request: ControlRequest, ticket?: string): unknown =>
    JSON.parse(
      encodeControl(request, NAMES, ticket === undefined ? undefined : { ticket, routingKey: 'oid' }).body.toString(),
    );

  it('asks for replies', () => {
    expect(body(ping, 't')).toEqual({
      method: 'ping',
      arguments: {},
      destination: null,
      pattern: null,
      matcher: null,
      ticket: 't',
      reply_to: { exchange: 'reply.celery.pidbox', routing_key: 'oid' },
    });
    expect(replyQueue('oid', NAMES)).toBe('oid.reply.celery.pidbox');
  });

  it('asks for none in a cast', () => {
    expect(Object.keys(body(ping) as object)).toEqual(['method', 'arguments', 'destination', 'pattern', 'matcher']);
  });

  it('addresses workers and patterns', () => {
    expect(body({ ...ping, target: { kind: 'workers', workers: ['a@h'] } })).toMatchObject({ destination: ['a@h'] });
    expect(body({ ...ping, target: { kind: 'pattern', pattern: 'a@*', matcher: 'glob' } })).toMatchObject({
      destination: null,
      pattern: 'a@*',
      matcher: 'glob',
    });
  });

  it('refuses what would reach every worker by mistake', () => {
    const none = { kind: 'workers', workers: [] } as unknown as ControlRequest['target'];
    expect(() => body({ ...ping, target: none })).toThrow('reaches all');
    expect(() => body({ ...ping, target: { kind: 'pattern', pattern: '', matcher: 'glob' } })).toThrow('reaches all');
  });

  it('is wrapped whole for Redis', () => {
    const encoded = encodeControl(ping, controlNames('shop'));
    expect(JSON.parse(controlEnvelope(encoded, controlNames('shop'), 'tag'))).toEqual({
      body: encoded.body.toString('base64'),
      'content-encoding': 'utf-8',
      'content-type': 'application/json',
      headers: { clock: 1, expires: 0 },
      properties: {
        delivery_mode: 1,
        delivery_info: { exchange: 'shop.pidbox', routing_key: '' },
        priority: 0,
        body_encoding: 'base64',
        delivery_tag: 'tag',
      },
    });
  });
});

describe('decodeReply', () => {
  const JSON_TYPE = 'application/json';

  it('reads what the worker said', () => {
    expect(decoded(reply(JSON_TYPE, '{"a@h": {"ok": "pong"}}'))).toEqual([
      { worker: 'a@h', ok: true, reply: { ok: 'pong' } },
    ]);
  });

  it("passes on a worker's own error", () => {
    expect(decoded(reply(JSON_TYPE, '{"a@h": {"error": "KeyError(\'x\')"}}'))).toEqual([
      { worker: 'a@h', ok: false, error: "KeyError('x')" },
    ]);
  });

  it('leaves the replies of other commands alone', () => {
    expect(decoded(reply(JSON_TYPE, '{"a@h": 1}', 'other'))).toBeUndefined();
    expect(decoded(Buffer.from('no json'))).toBeUndefined();
  });

  it('reads YAML and msgpack', () => {
    const said = [{ worker: 'a@h', ok: true, reply: { ok: 'pong' } }];
    expect(decoded(reply('application/x-yaml', 'a@h: {ok: pong}\n'))).toEqual(said);
    expect(decoded(reply('application/x-msgpack', encodeMsgpack({ 'a@h': { ok: 'pong' } })))).toEqual(said);
  });

  it.each([
    // pickle.dumps({'a@h': {'ok': 'pong'}}, protocol)
    ['protocol 2', '80027d7100580300000061406871017d710258020000006f6b71035804000000706f6e67710473732e'],
    ['protocol 4', '80049519000000000000007d948c03614068947d948c026f6b948c04706f6e679473732e'],
  ])('says of a pickled reply (%s) whose it is and what to change', (_name, pickle) => {
    const [answer] = decoded(reply('application/x-python-serialize', Buffer.from(pickle, 'hex'))) ?? [];
    expect(answer).toMatchObject({ worker: 'a@h', ok: false });
    expect(answer).toHaveProperty('error', expect.stringContaining('task_serializer'));
  });

  it('answers also for what cannot be read', () => {
    const error = expect.stringContaining('cannot be read') as unknown;
    expect(decoded(reply(JSON_TYPE, '{'))).toEqual([{ worker: UNKNOWN_WORKER, ok: false, error }]);
    expect(decoded(reply(JSON_TYPE, '[]'))).toEqual([{ worker: UNKNOWN_WORKER, ok: false, error }]);
    const [pickled] = decoded(reply('application/x-python-serialize', Buffer.from('80028c', 'hex'))) ?? [];
    expect(pickled).toMatchObject({ worker: UNKNOWN_WORKER, ok: false });
  });

  it('refuses what nobody could write down again', () => {
    const deep = `{"a@h": {"error": ${'['.repeat(50_000)}${']'.repeat(50_000)}}}`;
    const error = 'the reply of a worker cannot be read: it is nested deeper than 500';
    expect(decoded(reply(JSON_TYPE, deep))).toEqual([{ worker: UNKNOWN_WORKER, ok: false, error }]);
  });

  it('takes AMQP properties as they are', () => {
    const properties = { contentType: JSON_TYPE, headers: { ticket: 't' } };
    const raw = { receivedMs: 0, routingKey: '', payload: Buffer.from('{"a@h": null}'), properties };
    expect(decodeReply(raw, 't')).toEqual([{ worker: 'a@h', ok: true, reply: null }]);
    expect(decodeReply(raw, 'u')).toBeUndefined();
  });
});
