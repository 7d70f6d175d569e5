import { describe, expect, it } from '@jest/globals';
import type { CommandResult, ControlRequest, Target } from '../core/control/command.ts';
import { BrokerUnavailable, ControlRefused } from '../core/control/command.ts';
import { createMasker, DEFAULT_MASK_KEYS, MASK, NO_MASK } from '../core/mask/mask.ts';
import type { Masker } from '../core/mask/mask.ts';
import { FakeBroker, NO_LOGGER, pong, settled, StillClock, worker } from './control.testkit.ts';
import type { KnownWorker } from './deps.ts';
import { openControl } from './open.ts';

const ALL: Target = { kind: 'all' };
const to = (...workers: [string, ...string[]]): Target => ({ kind: 'workers', workers });
const ping = (target: Target = ALL): ControlRequest => ({ method: 'ping', arguments: {}, target });

function setUp(workers: readonly KnownWorker[], masker?: Masker) {
  const [clock, broker] = [new StillClock(), new FakeBroker()];
  const known = [...workers];
  const control = openControl({
    transport: broker,
    workers: () => known,
    masker,
    clock,
    logger: NO_LOGGER,
    options: { enableEvents: false },
  });
  const ended: { result?: CommandResult } = {};
  const begin = (request: ControlRequest): void => {
    void control.call(request).then((result) => {
      ended.result = result;
    });
  };
  return { clock, broker, control, known, ended, begin };
}

describe('a call', () => {
  it('ends once all workers that are online have answered', async () => {
    const { broker, ended, begin } = setUp([worker('a@h'), worker('b@h'), worker('gone@h', { online: false })]);
    begin(ping());
    await settled();
    expect(ended.result).toBeUndefined();
    for (const answer of pong('b@h', 'a@h')) broker.listeners[0]?.(answer);
    await settled();
    expect(ended.result).toEqual({ answers: pong('b@h', 'a@h'), silent: [] });
    expect([...broker.open].filter(({ method }) => method === 'ping')).toEqual([]);
  });

  it('ends when the time is over, and names who stayed silent', async () => {
    const { clock, broker, ended, begin } = setUp([worker('b@h'), worker('a@h'), worker('c@h')]);
    broker.reply = () => pong('c@h');
    begin(ping());
    await clock.pass(999);
    expect(ended.result).toBeUndefined();
    await clock.pass(1);
    expect(ended.result).toEqual({ answers: pong('c@h'), silent: ['a@h', 'b@h'] });
    expect([...broker.open].filter(({ method }) => method === 'ping')).toEqual([]);
  });

  it('waits for those it never heard of, as far as the broker counts them', async () => {
    const { broker, ended, begin } = setUp([worker('a@h')]);
    broker.receivers = 2;
    broker.reply = () => pong('a@h');
    begin(ping());
    await settled();
    expect(ended.result).toBeUndefined();
    for (const answer of pong('new@h')) broker.listeners[0]?.(answer);
    await settled();
    expect(ended.result).toEqual({ answers: pong('a@h', 'new@h'), silent: [], receivers: 2 });
  });

  it('does not wait where nobody listens', async () => {
    const { broker, ended, begin } = setUp([worker('a@h')]);
    broker.receivers = 0;
    begin(ping());
    await settled();
    expect(ended.result).toEqual({ answers: [], silent: ['a@h'], receivers: 0 });
  });

  it('expects of a pattern only those it matches', async () => {
    const { clock, broker, ended, begin } = setUp([worker('a@h'), worker('b@h')]);
    broker.reply = () => pong('b@h');
    begin(ping({ kind: 'pattern', pattern: 'b*', matcher: 'glob' }));
    await settled();
    expect(ended.result?.silent).toEqual([]);
    delete ended.result;
    begin(ping({ kind: 'pattern', pattern: '(b|c)@', matcher: 'pcre' }));
    await settled();
    expect(ended.result).toEqual({ answers: pong('b@h'), silent: [] });
    broker.reply = () => [];
    begin(ping({ kind: 'pattern', pattern: 'b', matcher: 'pcre' }));
    await clock.pass(1000);
    expect(ended.result).toEqual({ answers: [], silent: ['b@h'] });
  });

  it('to an unknown worker is refused with those that may be meant', async () => {
    const { broker, control } = setUp([worker('worker1@host'), worker('worker2@host'), worker('mail@host')]);
    const refusal: unknown = await control.call(ping(to('worker1@hots'))).catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(ControlRefused);
    expect(refusal).toMatchObject({
      code: 'unknown-worker',
      message: "Unknown worker 'worker1@hots'; did you mean worker1@host or worker2@host?",
    });
    await expect(control.cast(ping({ kind: 'pattern', pattern: 'x*', matcher: 'glob' }))).rejects.toThrow(
      "No known worker is like 'x*'",
    );
    expect(broker.sent).toEqual([]);
  });

  it('to any worker is sent while none is known', async () => {
    const { broker, clock, begin, ended } = setUp([]);
    begin(ping(to('a@h')));
    await clock.pass(1000);
    expect(broker.sent).toHaveLength(1);
    expect(ended.result?.silent).toEqual(['a@h']);
  });

  it('is never sent to an empty list, nor where it would crash workers', async () => {
    const { broker, control } = setUp([worker('a@h')]);
    const nobody = { kind: 'workers', workers: [] } as unknown as Target;
    await expect(control.call({ method: 'shutdown', arguments: {}, target: nobody })).rejects.toThrow(/every worker/);
    await expect(control.cast({ method: 'shutdown', arguments: {}, target: nobody })).rejects.toThrow(/every worker/);
    await expect(control.call({ method: 'election', arguments: {}, target: ALL })).rejects.toThrow(/not offered/);
    expect([...broker.sent, ...broker.casts].filter(({ method }) => method !== 'heartbeat')).toEqual([]);
  });

  it('of a shutdown ends when the worker is offline, or was started again', async () => {
    const { clock, broker, known, ended, begin } = setUp([worker('a@h'), worker('b@h'), worker('busy@h')]);
    begin({ method: 'shutdown', arguments: {}, target: ALL });
    await clock.pass(100);
    known.splice(0, 2, worker('a@h', { online: false }), worker('b@h', { pid: 2 }));
    await clock.pass(900);
    expect(broker.casts.map(({ method }) => method)).toEqual(['heartbeat', 'shutdown']);
    expect(ended.result?.answers.map((answer) => answer.worker)).toEqual(['a@h', 'b@h']);
    expect(ended.result?.silent).toEqual(['busy@h']);
  });

  it('fails while the broker is away', async () => {
    const { broker, control } = setUp([worker('a@h')]);
    broker.failure = new BrokerUnavailable('no connection');
    await expect(control.call(ping())).rejects.toBeInstanceOf(BrokerUnavailable);
  });

  it('under way ends with what was heard when the agent stops', async () => {
    const { control, ended, begin } = setUp([worker('a@h')]);
    begin(ping());
    await settled();
    await control.close();
    await settled();
    expect(ended.result?.silent).toEqual(['a@h']);
  });

  it('masks secrets in the reply', async () => {
    const { broker, control } = setUp([worker('a@h')]);
    broker.reply = () => [{ worker: 'a@h', ok: true, reply: { secret_key: 'x', broker_url: 'redis://:pw@h' } }];
    const { answers } = await control.call({ method: 'conf', arguments: {}, target: ALL });
    expect(answers).toEqual([
      { worker: 'a@h', ok: true, reply: { secret_key: '********', broker_url: 'redis://:**@h' } },
    ]);
  });

  describe('masks the arguments of tasks as events are masked', () => {
    const request = (kwargs: unknown, args: unknown = []) => ({ id: 'token-1', name: 'app.reset_token', args, kwargs });
    const plain = { max_tokens: 1, token_count: 2, tokenizer: 't', sort_key: 'a', primary_key: 3, partition_key: 'p' };
    const given = request({ ...plain, authorization_url: 'u', card: 'x', password: 'x' }, [[['Authorization', 'x']]]);
    const masked = request({ ...(given.kwargs as object), password: MASK }, [[['Authorization', MASK]]]);
    const wrapped = (entry: unknown): Record<string, unknown> => ({
      active: [entry],
      reserved: [entry],
      scheduled: [{ eta: 'e', priority: 6, request: entry }],
      query_task: { 'my-token': ['active', entry] },
    });

    it.each(Object.keys(wrapped(0)))('%s', async (method) => {
      const answer = async (masker?: Masker): Promise<unknown> => {
        const { broker, control } = setUp([worker('a@h')], masker);
        broker.reply = () => [{ worker: 'a@h', ok: true, reply: wrapped(given)[method] }];
        const { answers } = await control.call({ method, arguments: {}, target: ALL });
        return answers[0]?.ok === true ? answers[0].reply : undefined;
      };
      expect(await answer(createMasker(DEFAULT_MASK_KEYS))).toEqual(wrapped(masked)[method]);
      expect(await answer(NO_MASK)).toEqual(wrapped(given)[method]);
      const own = wrapped(request({ ...(given.kwargs as object), card: MASK }, given.args));
      expect(await answer(createMasker(['card']))).toEqual(own[method]);
    });

    it('cut texts of them too', async () => {
      const { broker, control } = setUp([worker('a@h')], createMasker(DEFAULT_MASK_KEYS));
      const reply = [request("{'password': 'x', 'max_tokens': 1}", "('token', 'x')")];
      broker.reply = () => [{ worker: 'a@h', ok: true, reply }];
      const { answers } = await control.call({ method: 'active', arguments: { safe: true }, target: ALL });
      expect(answers).toMatchObject([
        { reply: [request("{'password': '********', 'max_tokens': 1}", "('token', '********')")] },
      ]);
    });
  });
});
