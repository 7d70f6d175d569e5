import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Healed } from './finding.ts';
import { type Evidence, judge, type OpenTask, type WorkerStanding } from './judge.ts';

const TASK: OpenTask = {
  ...{ taskId: 't-1', state: 'STARTED', timestamp: 1000, worker: 'w@h', queue: null, etaMs: null, mark: null },
};
const GONE: WorkerStanding = { kind: 'gone', forMs: 60_000 };
const THERE: WorkerStanding = { kind: 'there', startedMs: 0, answered: true };
const NOTHING: Evidence = {
  ...{ standing: GONE, result: 'none', broker: 'absent', redeliveryMs: 300_000, isInGap: false, wasMissed: true },
};
const result = (state: string, at: number | null = 1003): Healed => ({
  ...{ kind: 'healed', source: 'result-backend', state, at },
});
const held = { worker: 'other@h', isActive: true, startedAt: 1002 };
const left = (why: string) => ({ kind: 'leave', why });

describe('an open task', () => {
  it.each([
    ['has ended where the result backend says so', {}, { result: result('SUCCESS') }, result('SUCCESS')],
    ['of the app’s own has ended, too', { state: 'PROGRESS' }, { result: result('FAILURE') }, result('FAILURE')],
    [
      'of the app’s own is lost with its worker, too',
      { state: 'PROGRESS' },
      {},
      { kind: 'orphaned', reason: 'worker-lost' },
    ],
    [
      'that Celery holds against REVOKED is left',
      { state: 'PROGRESS' },
      { result: result('REVOKED') },
      left('undecided'),
    ],
    ['is left while a worker has it', {}, { held, result: result('FAILURE') }, left('running')],
    ['will be delivered again while its message is not acknowledged', {}, { broker: 'unacked' }, left('redelivery')],
    ['waits while its message is in a queue', {}, { broker: 'waiting' }, left('waiting')],
    ['is orphaned when worker, message and result are gone', {}, {}, { kind: 'orphaned', reason: 'worker-lost' }],
    [
      'is orphaned when its worker was started again',
      {},
      { standing: { ...THERE, startedMs: 1_001_000 } },
      { kind: 'orphaned', reason: 'worker-restarted' },
    ],
    [
      'that its living worker does not know ended unheard',
      {},
      { standing: THERE, result: 'off' },
      { kind: 'orphaned', reason: 'end-unheard' },
    ],
    ['must be missed twice', {}, { wasMissed: false }, left('missing')],
    ['is asked for at the broker before it is given up', {}, { broker: undefined }, left('broker')],
    ['is not given up while results cannot be looked up', {}, { result: 'unread' }, left('undecided')],
    ['is not given up while its worker is silent', {}, { standing: { ...THERE, answered: false } }, left('undecided')],
    ['is not given up while a queue cannot be seen through', {}, { broker: 'unknown' }, left('undecided')],
    [
      'is given up unseen when it would have been delivered again long ago',
      {},
      { broker: 'unknown', standing: { kind: 'gone', forMs: 300_000 } },
      { kind: 'orphaned', reason: 'worker-lost' },
    ],
    [
      'that no worker had is never orphaned',
      { state: 'PENDING', worker: null },
      { standing: undefined },
      left('undecided'),
    ],
    [
      'that runs again is not ended by the failure of its earlier run',
      { timestamp: 2000 },
      { result: result('FAILURE'), broker: 'unacked' },
      left('redelivery'),
    ],
    [
      'keeps that failure when the run after it is lost',
      { timestamp: 2000 },
      { result: result('FAILURE') },
      result('FAILURE'),
    ],
    [
      'that ran on during a gap is shown as running',
      { state: 'PENDING', worker: null },
      { held, isInGap: true },
      { kind: 'healed', source: 'inspect', state: 'STARTED', at: 1002, worker: 'other@h' },
    ],
    [
      'is not moved back by a worker that holds it',
      {},
      { held: { ...held, isActive: false }, isInGap: true },
      left('running'),
    ],
    [
      'is no orphan any more when a worker has it',
      { mark: 'orphaned' },
      { held },
      { kind: 'healed', source: 'inspect', state: 'STARTED', at: 1002, worker: 'other@h' },
    ],
  ] as [string, Partial<OpenTask>, Partial<Evidence>, object][])('%s', (_name, task, evidence, expected) => {
    expect(judge({ ...TASK, ...task }, { ...NOTHING, ...evidence })).toEqual(expected);
  });
});

const evidences: fc.Arbitrary<Evidence> = fc.record({
  held: fc.constantFrom(undefined, held, { ...held, isActive: false }),
  standing: fc.constantFrom<WorkerStanding | undefined>(undefined, GONE, THERE, { ...THERE, answered: false }),
  result: fc.constantFrom<Evidence['result']>('none', 'unread', 'off', result('SUCCESS'), result('FAILURE', 1)),
  broker: fc.constantFrom<Evidence['broker']>(undefined, 'waiting', 'unacked', 'absent', 'unknown'),
  redeliveryMs: fc.constantFrom(0, 300_000),
  isInGap: fc.boolean(),
  wasMissed: fc.boolean(),
});
const tasks: fc.Arbitrary<OpenTask> = fc.record({
  ...{
    taskId: fc.constant('t'),
    worker: fc.constantFrom(null, 'w@h'),
    queue: fc.constant(null),
    etaMs: fc.constant(null),
  },
  state: fc.constantFrom('PENDING', 'RECEIVED', 'STARTED', 'RETRY'),
  timestamp: fc.constantFrom(0, 1000, 1e9),
  mark: fc.constantFrom<OpenTask['mark']>(null, 'orphaned', 'healed'),
});

describe('whatever the evidence', () => {
  it('a task is given up only when nobody has it, nothing is stored of its end, and that was seen twice', () => {
    fc.assert(
      fc.property(tasks, evidences, (task, evidence) => {
        if (judge(task, evidence).kind !== 'orphaned') return;
        expect(evidence).toMatchObject({ held: undefined, wasMissed: true });
        expect(['none', 'off']).toContain(evidence.result);
        expect(['absent', 'unknown']).toContain(evidence.broker);
        expect(task.state).not.toBe('PENDING');
      }),
    );
  });

  it('an end that is told is one that is stored, and never of a task that a worker has', () => {
    fc.assert(
      fc.property(tasks, evidences, (task, evidence) => {
        const judgement = judge(task, evidence);
        if (judgement.kind !== 'healed' || judgement.source !== 'result-backend') return;
        expect(judgement).toBe(evidence.result);
        expect(evidence.held).toBeUndefined();
      }),
    );
  });
});
