import { beforeAll, describe, expect, it } from '@jest/globals';
import type { RunningAgent } from '../support/agent.ts';
import { startAgent } from '../support/agent.ts';
import { runLoad, startCelery } from '../support/celery.ts';
import { getObject, getText } from '../support/http.ts';
import type { ReceivedLog, ReceivedSpan } from '../support/otlp-protobuf.ts';
import { type OtlpReceiver, startOtlpReceiver } from '../support/otlp-receiver.ts';
import { startRedis } from '../support/redis.ts';
import { waitFor } from '../support/wait.ts';

const EPOCH_MS = expect.closeTo(Date.now(), -6);
const WORKER = expect.stringMatching(/^w1@/);
const FAILED = 'ValueError: order 7 has no address';
const RETRIED = 'ConnectionError: attempt 0: peer went away';
const INTERNAL = 1;
const CONSUMER = 5;
const FINE = { code: 0, message: '' };

let receiver: OtlpReceiver;
let agent: RunningAgent;
let other: RunningAgent;
/** Id of the task that started the chord: the root of the workflow. */
let rootId: string;
/** Of the task whose message carried the trace context of its publisher. */
let tracedId: string;

/** Real Celery on a real Redis, and two agents with one history; the receiver stands for Tempo and Loki. */
beforeAll(async () => {
  const [redis, started] = await Promise.all([startRedis(), startOtlpReceiver()]);
  receiver = started;
  const brokerUrl = `${redis.url}/0`;
  const args = ['--otlp-endpoint', receiver.url, '--otlp-headers', 'X-Scope-OrgID=shop%2C1'];
  const env = { OTEL_RESOURCE_ATTRIBUTES: 'service.name=orders,deployment.environment=test' };
  agent = await startAgent({ brokerUrl, args, env });
  other = await startAgent({ brokerUrl, args, env, databaseUrl: agent.databaseUrl });
  const worker = await startCelery({ brokerUrl, name: 'w1' });
  [rootId = ''] = Object.keys((await runLoad('failing-chords', { brokerUrl }, ['--tasks', '4'])).expected);
  [tracedId = ''] = Object.keys((await runLoad('traced', { brokerUrl }, ['--tasks', '1'])).expected);
  await runLoad('expired', { brokerUrl }, ['--tasks', '1']);
  await waitFor(() => log('task-revoked') && log('task-failed'), 30_000, 'the logs of the tasks');
  await worker.stop();
  await waitFor(() => log('worker-offline'), 30_000, 'the last log');
  await waitFor(() => ['shop.flaky', 'shop.fail', 'shop.traced'].every((name) => span(name)), 30_000, 'the spans');
  // Both have told what they had to: what either of them holds back would be a second copy.
  await Promise.all([agent.kill('SIGTERM'), other.kill('SIGTERM')]);
}, 300_000);

const span = (name: string, number?: number): ReceivedSpan | undefined =>
  receiver.spans.find(
    (one) => one.name === name && (number === undefined || one.attributes['celery.retries'] === number),
  );

const log = (event: string): ReceivedLog | undefined =>
  receiver.logs.find(({ attributes }) => attributes['celery.event'] === event);

const traceId = (taskId: string): string => taskId.replaceAll('-', '');

function task(name: string, state: string, more: object = {}): object {
  return {
    'celery.task_name': name,
    'celery.queue': 'celery',
    'celery.worker': WORKER,
    'celery.state': state,
    ...more,
  };
}

describe('the trace of a chord with a failing member', () => {
  it('has every task of the workflow, each with its time in the queue and its runs, once', () => {
    const names = receiver.spans.filter((one) => one.traceId === traceId(rootId)).map(({ name }) => name);
    expect(names.sort()).toEqual([
      ...[
        'queue shop.add',
        'queue shop.fail',
        'queue shop.flaky',
        'queue shop.flaky',
        'queue shop.start_failing_chord',
      ],
      ...['run shop.add', 'run shop.fail', 'run shop.flaky', 'run shop.flaky', 'run shop.start_failing_chord'],
      ...['shop.add', 'shop.fail', 'shop.flaky', 'shop.start_failing_chord'],
    ]);
    expect(new Set(receiver.spans.map(({ spanId }) => spanId)).size).toBe(receiver.spans.length);
    for (const { resource, scope } of receiver.spans) {
      expect(resource).toEqual({ 'service.name': 'orders', 'deployment.environment': 'test' });
      expect(scope).toEqual({ name: 'umbel', version: expect.stringMatching(/^\d/) });
    }
  });

  it('begins with the task that published it', () => {
    const root = span('shop.start_failing_chord');
    expect(root).toMatchObject({ kind: CONSUMER, parentSpanId: '', status: FINE, events: [], links: [] });
    expect(root?.attributes).toEqual({
      ...task('shop.start_failing_chord', 'SUCCESS', { 'celery.retries': 0, 'celery.root_id': rootId }),
      'celery.task_id': rootId,
      'celery.client': expect.stringMatching(/^gen\d+@/),
      'celery.runtime': expect.any(Number),
      'messaging.system': 'redis',
      'messaging.operation.type': 'process',
      'messaging.operation.name': 'run',
      'messaging.destination.name': 'celery',
      'messaging.message.id': rootId,
      'messaging.message.conversation_id': rootId,
    });
    for (const member of ['shop.add', 'shop.fail', 'shop.flaky']) {
      expect(span(member)).toMatchObject({ kind: CONSUMER, traceId: traceId(rootId), parentSpanId: root?.spanId });
    }
  });

  it('shows the failure with its exception, on the task and on the run that raised it', () => {
    const failed = span('shop.fail');
    const exception = {
      'exception.type': 'ValueError',
      'exception.message': 'order 7 has no address',
      'exception.stacktrace': expect.stringMatching(/^Traceback .*raise ValueError\(message\)\nValueError: order 7/s),
    };
    expect(failed).toMatchObject({ status: { code: 2, message: FAILED } });
    expect(failed?.attributes).toMatchObject({
      ...task('shop.fail', 'FAILURE', { 'celery.parent_id': rootId, 'error.type': 'ValueError' }),
    });
    expect(failed?.events).toEqual([{ name: 'exception', timeMs: failed?.endMs, attributes: exception }]);
    expect(span('run shop.fail')).toMatchObject({ status: { code: 2, message: FAILED }, events: failed?.events });
  });

  it('tells the attempts of the retried member apart', () => {
    const flaky = span('shop.flaky');
    expect(flaky).toMatchObject({ status: FINE, attributes: { 'celery.state': 'SUCCESS', 'celery.retries': 1 } });
    const exception = { 'exception.type': 'ConnectionError', 'exception.message': 'attempt 0: peer went away' };
    const [first, second] = [span('run shop.flaky', 0), span('run shop.flaky', 1)];
    expect(flaky?.events).toEqual([
      { name: 'retry', timeMs: first?.endMs, attributes: { 'celery.retries': 0, ...exception } },
    ]);
    expect(first).toMatchObject({
      ...{ kind: INTERNAL, parentSpanId: flaky?.spanId, status: { code: 2, message: RETRIED } },
      attributes: task('shop.flaky', 'RETRY'),
      events: [{ name: 'exception', attributes: exception }],
    });
    expect(second).toMatchObject({ status: FINE, events: [], attributes: task('shop.flaky', 'SUCCESS') });
    // The queue of the second attempt begins at its eta, not when the first attempt published it.
    const [wait, again] = [span('queue shop.flaky', 0), span('queue shop.flaky', 1)];
    expect([wait?.endMs, again?.endMs]).toEqual([first?.startMs, second?.startMs]);
    expect(again?.startMs).toBeGreaterThan((first?.endMs ?? 0) + 50);
    expect([flaky?.startMs, flaky?.endMs]).toEqual([wait?.startMs, second?.endMs]);
  });

  it('links to the trace of the publisher where the events carry it', () => {
    const links = [{ traceId: '000000000000000000000000000a0000', spanId: '00000000000b0000' }];
    expect(span('shop.traced')).toMatchObject({ traceId: traceId(tracedId), links });
    expect(span('run shop.traced')?.links).toEqual(links);
  });
});

describe('the logs', () => {
  it('have the failure, with everything that leads to its task and trace', () => {
    const failed = span('shop.fail');
    const record = log('task-failed');
    expect(record).toMatchObject({ severityText: 'ERROR', severityNumber: 17, timeMs: failed?.endMs });
    expect(record).toMatchObject({ observedMs: failed?.endMs, traceId: traceId(rootId), spanId: failed?.spanId });
    expect(record?.resource).toEqual({ 'service.name': 'orders', 'deployment.environment': 'test' });
    expect(record?.body).toBe(`Task shop.fail[${String(failed?.attributes['celery.task_id'])}] failed: ${FAILED}`);
    expect(record?.attributes).toEqual({
      'celery.event': 'task-failed',
      ...task('shop.fail', 'FAILURE', { 'celery.retries': 0, 'celery.root_id': rootId, 'celery.parent_id': rootId }),
      'celery.task_id': failed?.attributes['celery.task_id'],
      'exception.type': 'ValueError',
      'exception.message': 'order 7 has no address',
      'exception.stacktrace': expect.stringMatching(/^Traceback .*ValueError: order 7 has no address\n$/s),
    });
  });

  it('have the retry, the revocation, and the worker that came and went, each once though two agents listened', () => {
    expect(log('task-retried')).toMatchObject({
      ...{ severityText: 'WARN', traceId: traceId(rootId), spanId: span('shop.flaky')?.spanId },
      body: expect.stringMatching(/^Task shop\.flaky\[.+\] is retried: ConnectionError: attempt 0/),
      attributes: {
        // The second attempt had long ended when the record was told.
        ...task('shop.flaky', 'RETRY', { 'celery.retries': 0 }),
        'exception.stacktrace': expect.stringContaining('Retry in 0.25s'),
      },
    });
    expect(log('task-revoked')).toMatchObject({
      ...{ severityText: 'WARN', body: expect.stringMatching(/^Task shop\.add\[.+\] was revoked: it had expired$/) },
      attributes: { 'celery.state': 'REVOKED', 'celery.expired': true },
    });
    const worker = {
      severityText: 'INFO',
      severityNumber: 9,
      body: expect.stringMatching(/^Worker w1@\S+ is online$/),
    };
    expect(log('worker-online')).toMatchObject({ ...worker, traceId: '', spanId: '', timeMs: EPOCH_MS });
    expect(log('worker-online')?.attributes).toMatchObject({
      'celery.worker': WORKER,
      'celery.worker_change': 'online',
    });
    expect(log('worker-offline')).toMatchObject({ severityText: 'WARN', body: expect.stringMatching(/went offline$/) });
    const events = receiver.logs.map(({ attributes }) => attributes['celery.event']).sort();
    const once = ['task-failed', 'task-retried', 'task-revoked', 'worker-offline', 'worker-online'];
    expect(events).toEqual(once);
  });
});

it('comes as compressed protobuf with the given headers, and the exemplars and the API name the same trace', async () => {
  expect(new Set(receiver.requests.map(({ path }) => path))).toEqual(new Set(['/v1/traces', '/v1/logs']));
  for (const { headers } of receiver.requests) {
    expect(headers).toMatchObject({ 'content-type': 'application/x-protobuf', 'content-encoding': 'gzip' });
    expect(headers).toMatchObject({ 'x-scope-orgid': 'shop,1', 'user-agent': expect.stringMatching(/^umbel\//) });
  }
  await agent.restart();
  const found = await getObject(`${agent.url}/api/v1/tasks/${rootId}`);
  expect(found['traceId']).toBe(traceId(rootId));
  const { otlp } = await getObject(`${agent.url}/api/v1/status`);
  expect(otlp).toEqual([
    { signal: 'traces', displayUrl: `${receiver.url}/v1/traces`, connected: true, sent: 0, dropped: 0, waiting: 0 },
    { signal: 'logs', displayUrl: `${receiver.url}/v1/logs`, connected: true, sent: 0, dropped: 0, waiting: 0 },
  ]);
  expect((await getText(`${agent.url}/metrics`)).body).toContain('umbel_otlp_up{signal="traces"} 1');
});
