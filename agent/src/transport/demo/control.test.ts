import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { decodeMessage } from '../../core/events/decode.ts';
import { BrokerUnavailable } from '../../core/control/command.ts';
import type { ControlRequest, Target, WorkerAnswer } from '../../core/control/command.ts';
import { openMessage } from '../../core/wire/envelope.ts';
import { systemClock } from '../../lib/clock.ts';
import { RecordingListener, recordingLogger, waitUntil } from '../conformance.testkit.ts';
import { ask, publishTask, request } from '../control.conformance.testkit.ts';
import type { BrokerTransport } from '../port.ts';
import { openDemoTransport } from './transport.ts';

let transport: BrokerTransport;
let listener: RecordingListener;
beforeEach(async () => {
  transport = openDemoTransport({ clock: systemClock, logger: recordingLogger(), seed: 5, tasksPerSecond: 0 });
  listener = new RecordingListener();
  transport.consumeEvents(listener);
  await waitUntil('five workers', () => types().filter((type) => type === 'worker-online').length === 5);
});
afterEach(() => transport.close());

const events = () => listener.messages.flatMap((message) => decodeMessage(message).events);
const types = (): string[] => events().map(({ type }) => type);
const seen = (id: string): string[] => events().flatMap(({ type, fields }) => (fields['uuid'] === id ? [type] : []));
const WEB: Target = { kind: 'workers', workers: ['celery@web-1'] };

async function reply(method: string, args: ControlRequest['arguments'] = {}, target = WEB): Promise<unknown> {
  const [answer] = await ask(transport, request(method, target, args), 1);
  return answer?.ok === true ? answer.reply : answer;
}

describe('the simulated cluster under remote control', () => {
  it('answers in the shapes of Celery', async () => {
    expect(await reply('ping')).toEqual({ ok: 'pong' });
    expect(await reply('stats')).toMatchObject({
      pool: { 'max-concurrency': 4 },
      clock: expect.any(String) as unknown,
    });
    expect(await reply('active_queues')).toMatchObject([{ name: 'default' }, { name: 'mail' }]);
    expect(await reply('registered')).toEqual(expect.arrayContaining(['shop.mail.send_receipt']));
    expect(await reply('conf')).toHaveProperty('task_default_queue');
    expect(await reply('report')).toEqual({ ok: expect.stringContaining('celery:5.7.0') });
    expect(await reply('memsample')).toMatch(/^\d+\.\d\dMB$/);
    expect(await reply('clock')).toEqual({ clock: expect.any(Number) });
    for (const method of ['active', 'reserved', 'scheduled', 'revoked']) expect(await reply(method)).toEqual([]);
  });

  it('passes errors on in the words of Celery', async () => {
    const error = async (method: string, args = {}): Promise<unknown> =>
      ((await reply(method, args)) as WorkerAnswer & { ok: false }).error;
    expect(await error('nonsense')).toBe("KeyError('nonsense')");
    expect(await error('autoscale', { max: 3, min: 1 })).toBe("ValueError('Autoscale not enabled')");
    expect(await error('pool_restart')).toBe("ValueError('Pool restarts not enabled')");
    expect(await error('rate_limit', { task_name: 'nope', rate_limit: '1/m' })).toBe('unknown task');
    expect(await error('rate_limit', { task_name: 'nope', rate_limit: 'x/m' })).toMatch(/^Invalid rate limit string/);
  });

  it('reaches only whom a target names', async () => {
    const [heavy, ...rest] = await ask(
      transport,
      request('ping', { kind: 'pattern', pattern: 'heavy@*', matcher: 'glob' }),
      2,
    );
    expect([heavy, ...rest].map((answer) => answer?.worker)).toEqual(['heavy@batch-1', 'heavy@batch-2']);
  });

  it('runs what is published, and shows it meanwhile', async () => {
    const args = { argsJson: '["a", 1]', kwargsJson: '{"x": null}' };
    const id = await publishTask(transport, 'mail', { name: 'shop.mail.send_newsletter', ...args });
    await waitUntil('its start', () => seen(id).includes('task-started'));
    const found = await transport.tasks.findMessage(id, []);
    expect(found && openMessage(found)).toMatchObject({ body: [['a', 1], { x: null }, {}] });
    await waitUntil('its end', () => seen(id).length > 2);
    expect(seen(id).slice(0, 2)).toEqual(['task-received', 'task-started']);
    const unknown = await publishTask(transport, 'mail', { name: 'shop.nonsense' });
    await waitUntil('its end', () => seen(unknown).includes('task-failed'));
  });

  it('holds what nobody consumes until somebody does', async () => {
    const id = await publishTask(transport, 'aside', { name: 'shop.mail.send_receipt' });
    expect(await transport.tasks.depths(['aside'])).toMatchObject([{ messages: 1, consumers: 0, unacked: 0 }]);
    expect(await transport.tasks.names()).toContain('aside');
    expect(await reply('add_consumer', { queue: 'aside' })).toEqual({ ok: 'add consumer aside' });
    await waitUntil('its start', () => seen(id).includes('task-started'));
    expect(await transport.tasks.depths(['aside'])).toMatchObject([{ messages: 0, consumers: 1 }]);
    expect(await reply('cancel_consumer', { queue: 'aside' })).toEqual({ ok: 'no longer consuming from aside' });
    expect(await reply('active_queues')).toHaveLength(2);
  });

  it('revokes what waits and terminates what runs', async () => {
    const options = { etaMs: systemClock.now() + 1500 };
    const id = await publishTask(transport, 'payments', { name: 'shop.payments.capture' }, options);
    const everybody: Target = { kind: 'all' };
    await waitUntil('its receipt', () => seen(id).includes('task-received'));
    expect(await reply('query_task', { ids: [id] }, { kind: 'workers', workers: ['payments@pay-1'] })).toMatchObject({
      [id]: ['scheduled', { name: 'shop.payments.capture' }],
    });
    expect(await reply('revoke', { task_id: id }, everybody)).toEqual({ ok: `tasks {'${id}'} flagged as revoked` });
    await waitUntil('its revocation', () => seen(id).includes('task-revoked'));
    expect(seen(id)).not.toContain('task-started');

    const long = await publishTask(transport, 'reports', { name: 'shop.reports.merge' });
    await waitUntil('its start', () => seen(long).includes('task-started'));
    const answers = await ask(
      transport,
      request('revoke', everybody, { task_id: [long], terminate: true, signal: 'KILL' }),
      5,
    );
    const said = answers.map((answer) => (answer.ok ? (answer.reply as { ok: string }).ok : answer.error));
    expect(said.filter((text) => text === `terminate: ${long}`)).toHaveLength(1);
    expect(said.filter((text) => text === 'terminate: tasks unknown')).toHaveLength(4);
    await waitUntil('its end', () => seen(long).includes('task-revoked'));
  });

  it('grows, shrinks, goes silent and shuts down', async () => {
    expect(await reply('pool_grow', { n: 2 })).toEqual({ ok: 'pool will grow' });
    expect(await reply('pool_shrink', { n: 1 })).toEqual({ ok: 'pool will shrink' });
    expect(await reply('stats')).toMatchObject({ pool: { 'max-concurrency': 5 } });
    expect(await reply('disable_events')).toEqual({ ok: 'task events disabled' });
    expect(await reply('enable_events')).toEqual({ ok: 'task events enabled' });
    expect(await transport.control.cast(request('shutdown', WEB))).toEqual({ receivers: 5 });
    await waitUntil('its farewell', () => types().includes('worker-offline'));
    expect(await transport.control.cast(request('ping'))).toEqual({ receivers: 4 });
  });

  it('is out of reach while it does not run', async () => {
    await transport.close();
    await expect(transport.control.cast(request('ping'))).rejects.toThrow(BrokerUnavailable);
    await expect(transport.tasks.names()).rejects.toThrow(BrokerUnavailable);
  });
});
