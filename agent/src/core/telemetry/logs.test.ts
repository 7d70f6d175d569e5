import { describe, expect, it } from '@jest/globals';
import { applyFinding, type Finding } from '../heal/finding.ts';
import { makeEvent } from '../state/event.testkit.ts';
import { WorkerState } from '../state/worker.ts';
import { spanIdOf, traceIdOf } from './ids.ts';
import { findingLog, taskLog, workerLog } from './logs.ts';
import { after, PLACE, ROOT_ID, TASK_ID, taskEvent } from './telemetry.testkit.ts';

const received = taskEvent('received', 1, { name: 'shop.pay', root_id: ROOT_ID });

function logOf(subject: string, body: Record<string, unknown> = {}) {
  const event = taskEvent(subject, 2, body);
  return taskLog(event, after(received, event).task, PLACE, 3);
}

describe('log records of tasks', () => {
  it('tell severity, what happened and why, and lead to the trace', () => {
    const told = { time: 2, traceId: traceIdOf(ROOT_ID), spanId: spanIdOf(TASK_ID, 'task') };
    const head = `Task shop.pay[${TASK_ID}]`;
    const failure = { exception: "ValueError('no\\nmoney')", traceback: 'Traceback …' };
    expect(logOf('failed', failure)).toMatchObject({
      ...{ ...told, severity: 'ERROR', body: `${head} failed: ValueError: no money` },
      attributes: {
        ...{ 'celery.event': 'task-failed', 'celery.queue': 'orders', 'celery.retries': 3 },
        ...{ 'exception.type': 'ValueError', 'exception.message': 'no money', 'exception.stacktrace': 'Traceback …' },
      },
    });
    expect(logOf('retried', failure)).toMatchObject({
      ...told,
      severity: 'WARN',
      body: `${head} is retried: ValueError: no money`,
    });
    expect(logOf('revoked', { terminated: true, signum: '15' })).toMatchObject({
      ...{ ...told, severity: 'WARN', body: `${head} was revoked: its process was ended` },
      attributes: { 'celery.terminated': true, 'celery.signum': '15' },
    });
    expect(logOf('revoked', { expired: true })?.body).toBe(`${head} was revoked: it had expired`);
    expect(logOf('rejected', { requeue: true })).toMatchObject({
      ...{ ...told, severity: 'WARN', body: `${head} was rejected: back to the queue` },
      attributes: { 'celery.requeue': true },
    });
    expect(logOf('rejected', { requeue: false })?.body).toBe(`${head} was rejected`);
  });

  it('tell the state that the event told, whatever became of the task before they are made', () => {
    const event = taskEvent('retried', 2, { exception: "ValueError('x')" });
    const { task } = after(received, event, taskEvent('received', 3, { retries: 1 }), taskEvent('succeeded', 4));
    applyFinding(task, {
      ...{ taskId: TASK_ID, basis: undefined, foundAt: 60 },
      verdict: { kind: 'healed', source: 'result-backend', at: 4, state: 'SUCCESS' },
    });
    expect([task.state, task.mark?.kind]).toEqual(['SUCCESS', 'healed']);
    const told = taskLog(event, task, PLACE, 0)?.attributes;
    expect(told).toMatchObject({ 'celery.state': 'RETRY', 'celery.event': 'task-retried', 'celery.retries': 0 });
    expect(told?.['celery.healed']).toBeUndefined();
    expect(logOf('rejected', { requeue: true })?.attributes).toMatchObject({ 'celery.state': 'REJECTED' });
  });

  it.each(['sent', 'received', 'started', 'succeeded', 'my-progress'])('are not made of task-%s', (subject) => {
    expect(logOf(subject)).toBeUndefined();
  });
});

describe('log records of what was found out', () => {
  const logOfFinding = (verdict: Finding['verdict']) => {
    const { task } = after(received);
    const finding = { taskId: TASK_ID, basis: undefined, verdict, foundAt: 60 };
    applyFinding(task, finding);
    return findingLog(finding, task, PLACE);
  };
  const healed = { kind: 'healed', source: 'result-backend', at: 5 } as const;

  it('tell of a failure that nobody heard, at the time at which it was found out', () => {
    const failure = { exception: "ValueError('x')", traceback: 'Traceback …' };
    expect(logOfFinding({ ...healed, state: 'FAILURE', ...failure })).toMatchObject({
      ...{ time: 60, severity: 'ERROR', traceId: traceIdOf(ROOT_ID), spanId: spanIdOf(TASK_ID, 'task') },
      body: `Task shop.pay[${TASK_ID}] failed: ValueError: x, found out later`,
      attributes: {
        ...{ 'celery.event': 'umbel-healed', 'celery.state': 'FAILURE', 'celery.healed': 'result-backend' },
        'exception.stacktrace': 'Traceback …',
      },
    });
    expect(logOfFinding({ ...healed, state: 'REVOKED' })).toMatchObject({ severity: 'WARN' });
    expect(logOfFinding({ ...healed, state: 'SUCCESS' })).toBeUndefined();
  });

  it('tell of orphans and why they are, as an error where work is lost', () => {
    expect(logOfFinding({ kind: 'orphaned', reason: 'worker-lost' })).toMatchObject({
      ...{ severity: 'ERROR', body: `Task shop.pay[${TASK_ID}] is orphaned: its worker is gone` },
      attributes: { 'celery.event': 'umbel-orphaned', 'celery.orphaned': 'worker-lost', 'celery.state': 'RECEIVED' },
    });
    expect(logOfFinding({ kind: 'orphaned', reason: 'end-unheard' })).toMatchObject({ severity: 'WARN' });
    expect(logOfFinding({ kind: 'replaced', newTaskId: 'n' })).toBeUndefined();
  });
});

describe('log records of workers', () => {
  const worker = Object.assign(new WorkerState('celery@a'), {
    pid: 7,
    sw_ver: '5.7.0',
    toldFreq: 10,
    lastSeenMs: 1_000_000,
  });

  it('tell who came, went, or fell silent, and have no trace', () => {
    const event = makeEvent('worker-online', { timestamp: 900 });
    expect(workerLog('online', worker, event)).toEqual({
      ...{ time: 900, severity: 'INFO', body: 'Worker celery@a is online' },
      attributes: {
        ...{ 'celery.event': 'worker-online', 'celery.worker': 'celery@a', 'celery.worker_change': 'online' },
        ...{ 'celery.pid': 7, 'celery.version': '5.7.0' },
      },
    });
    expect(workerLog('offline', worker, makeEvent('worker-offline', { timestamp: 901 }))).toMatchObject({
      severity: 'WARN',
    });
    // Three heartbeats of 10 s after the last sign of life.
    expect(workerLog('lost', worker, undefined)).toMatchObject({
      ...{ time: 1030, severity: 'ERROR', body: 'Worker celery@a sends no heartbeats any more' },
      attributes: { 'celery.event': 'worker-lost', 'celery.worker_change': 'lost' },
    });
  });
});
