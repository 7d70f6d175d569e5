import type { Bulk } from '../api';
import { ASKING, bulkFlow, type BulkMove, type BulkState, percentDone, requestOf } from './bulkFlow';

const bulk = (over: Partial<Bulk> = {}): Bulk => ({
  id: 'b',
  action: 'retry',
  state: 'running',
  dryRun: false,
  matched: 4,
  done: 0,
  failed: 0,
  tasks: [],
  startedMs: 0,
  ...over,
});
const plan = bulk({ dryRun: true, state: 'done' });
const play = (...moves: BulkMove[]) => moves.reduce<BulkState>(bulkFlow, ASKING);

it('does nothing before it was looked at', () => {
  expect(play({ move: 'start' })).toEqual(ASKING);
  expect(play({ move: 'plan' }, { move: 'start' }).step).toBe('planning');
  expect(play({ move: 'plan' }, { move: 'told', bulk: bulk({ dryRun: true }) })).toMatchObject({
    step: 'planning',
    plan: { matched: 4 },
  });
  expect(play({ move: 'plan' }, { move: 'told', bulk: plan }, { move: 'start' })).toEqual({ step: 'starting', plan });
});

it('has to be looked at anew after an edit, and a late answer of the look before does not count', () => {
  expect(play({ move: 'plan' }, { move: 'told', bulk: plan }, { move: 'edit' })).toEqual(ASKING);
  expect(play({ move: 'plan' }, { move: 'edit' }, { move: 'told', bulk: plan })).toEqual(ASKING);
});

it('tells how far it is until its end, also after a cancel', () => {
  const running = play(
    { move: 'plan' },
    { move: 'told', bulk: plan },
    { move: 'start' },
    { move: 'told', bulk: bulk({ done: 1 }) },
  );
  expect(running).toEqual({ step: 'running', bulk: bulk({ done: 1 }) });
  const cancelling = bulkFlow(running, { move: 'cancel' });
  expect(bulkFlow(cancelling, { move: 'told', bulk: bulk({ done: 2 }) })).toMatchObject({
    step: 'running',
    cancelling: true,
  });
  const ended = bulk({ state: 'cancelled', done: 2 });
  expect(bulkFlow(cancelling, { move: 'told', bulk: ended })).toEqual({ step: 'ended', bulk: ended });
  expect(bulkFlow({ step: 'ended', bulk: ended }, { move: 'edit' }).step).toBe('ended');
});

it('goes back to the question when the agent refuses, and keeps on looking while it runs', () => {
  expect(play({ move: 'plan' }, { move: 'failed', problem: 'too many' })).toEqual({
    step: 'asking',
    problem: 'too many',
  });
  const broken = bulk({ dryRun: true, state: 'failed', problem: 'history away' });
  expect(play({ move: 'plan' }, { move: 'told', bulk: broken })).toEqual({ step: 'asking', problem: 'history away' });
  expect(bulkFlow({ step: 'running', bulk: bulk() }, { move: 'failed', problem: 'no answer' })).toEqual({
    step: 'running',
    bulk: bulk(),
    problem: 'no answer',
  });
});

it('asks the agent for a revoke with a signal where it is to terminate', () => {
  const order = { filter: { ids: ['a'] }, limit: 10, signal: 'SIGKILL' };
  expect(requestOf({ ...order, kind: 'terminate' }, true)).toEqual({
    action: 'revoke',
    filter: { ids: ['a'] },
    limit: 10,
    dryRun: true,
    terminate: true,
    signal: 'SIGKILL',
  });
  expect(requestOf({ ...order, kind: 'retry' }, false)).toEqual({
    action: 'retry',
    filter: { ids: ['a'] },
    limit: 10,
    dryRun: false,
  });
});

it('counts what was refused as done with', () => {
  expect(percentDone(bulk({ done: 1, failed: 1 }))).toBe(50);
  expect(percentDone(bulk({ matched: 0 }))).toBe(100);
});
