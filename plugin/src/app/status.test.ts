import type { Status } from '../shared/api';
import { historyText, problemsOf, standingOf } from './status';

const status = (change: Partial<Status> = {}): Status => ({
  version: '0.1.0',
  role: 'leader',
  standingBy: false,
  slice: null,
  startedMs: 0,
  uptimeMs: 1,
  demo: false,
  broker: { displayUrl: 'redis://localhost:6379/0', connected: true, sinceMs: 0, reconnects: 0 },
  history: { enabled: true, connected: true, lagMs: 0, queuedBatches: 0, spilledBytes: 0 },
  live: { subscribers: 0, maxSubscribers: 100 },
  otlp: [],
  counts: {},
  shedding: [],
  limits: [],
  warnings: [],
  ...change,
});

describe('how an agent stands', () => {
  it.each([
    ['connected', status()],
    ['demo', status({ demo: true })],
    ['warning', status({ warnings: ['No worker sends task events.'] })],
    ['warning', status({ history: { ...status().history, connected: false } })],
    ['connected', status({ history: { ...status().history, enabled: false, connected: false } })],
    ['broker-away', status({ demo: true, broker: { ...status().broker, connected: false } })],
  ])('%s', (standing, answer) => {
    expect(standingOf(answer)).toBe(standing);
  });

  it('says each problem once, the broker’s first', () => {
    const broker = { ...status().broker, problem: 'Connection refused.' };
    expect(problemsOf(status({ broker, warnings: ['Old events.', 'Connection refused.'] }))).toEqual([
      'Connection refused.',
      'Old events.',
    ]);
  });

  it('tells a history that is not kept from one that is away', () => {
    const { history } = status();
    expect(historyText(status())).toBe('kept');
    expect(historyText(status({ history: { ...history, connected: false } }))).toContain('away');
    expect(historyText(status({ history: { ...history, enabled: false } }))).toContain('not kept');
  });
});
