import type { Me, Status } from '../../shared/api';
import { healthOf } from './health';

const status: Status = {
  role: 'leader',
  standingBy: false,
  slice: null,
  ...{ version: '0.1.0', startedMs: 0, uptimeMs: 1, demo: false, otlp: [], shedding: [], limits: [], warnings: [] },
  broker: { displayUrl: 'redis://h:6379/0', connected: true, sinceMs: 0, reconnects: 0 },
  history: { enabled: true, connected: true, lagMs: 0, queuedBatches: 0, spilledBytes: 0 },
  live: { subscribers: 0, maxSubscribers: 100 },
  counts: { onlineWorkers: 2, taskEvents: 9 },
};
const me: Me = {
  ...{ name: 't', role: 'viewer', ownRole: 'admin', via: 'token', verified: true, readOnly: false, actions: [] },
};
const { broker, history } = status;

it('is well', () => {
  expect(healthOf(status, me)).toEqual({ status: 'success', message: 'Agent 0.1.0 answers and hears 2 workers.' });
});

it.each([
  [
    'broker away',
    { broker: { ...broker, connected: false, problem: 'nobody listens' } },
    {},
    'no connection to the broker redis://h:6379/0. Nobody listens.',
  ],
  ['history away', { history: { ...history, connected: false } }, {}, 'cannot reach its history'],
  ['too old', { version: '0.0.9' }, {}, 'needs 0.1.0 or later'],
] as const)('%s is an error', (_what, change, mine, text) => {
  const health = healthOf({ ...status, ...change }, { ...me, ...mine });
  expect(health.status).toBe('error');
  expect(health.message).toContain(text);
});

it.each([
  ['demo', { demo: true, warnings: ['DEMO: x'] }, {}, 'DEMO: the tasks and workers are simulated'],
  [
    'no events',
    { counts: { onlineWorkers: 1, taskEvents: 0 } },
    {},
    'hears 1 worker. Workers send heartbeats but no task events: start them with -E',
  ],
  ['no workers', { counts: { onlineWorkers: 0, taskEvents: 0 } }, {}, 'No worker has been heard yet'],
  ['no history', { history: { ...history, enabled: false, connected: false } }, {}, 'keeps no history'],
  ['no token', {}, { via: 'anonymous', ownRole: 'viewer' }, 'No token is set'],
  ['an editor’s token', {}, { ownRole: 'editor' }, 'nobody may act on workers and see the audit'],
  ['read only', {}, { readOnly: true }, '--read-only'],
  ['a warning', { warnings: ['Disk is full.'] }, {}, 'Disk is full.'],
] as const)('%s is told', (_what, change, mine, text) => {
  const health = healthOf({ ...status, ...change } as Status, { ...me, ...mine } as Me);
  expect(health.status).toBe('success');
  expect(health.message).toContain(text);
  expect(health.message.match(/DEMO/g)?.length ?? 0).toBeLessThanOrEqual(1);
});
