import { readFacts, readQueues, readRegistered, readReport, readTasks, readTotals } from './replies';

it('reads running and reserved tasks, and scheduled ones in their envelope', () => {
  const task = { id: 'a', name: 'app.add', args: [1, 2], kwargs: '{}', time_start: 1.5 };
  const read = { id: 'a', name: 'app.add', args: '[1,2]', kwargs: '{}', startedMs: 1500 };
  expect(readTasks([task, { request: { ...task, time_start: null }, eta: '2026-01-01T00:00:00' }])).toEqual([
    read,
    { id: 'a', name: 'app.add', args: '[1,2]', kwargs: '{}', eta: '2026-01-01T00:00:00' },
  ]);
});

it('reads registered tasks with their rate limit', () => {
  expect(readRegistered(['app.add', 'app.mail [exchange=x rate_limit=10/m]', 'app.x [ignore_result=True]', 7])).toEqual(
    [{ name: 'app.add' }, { name: 'app.mail', rateLimit: '10/m' }, { name: 'app.x' }],
  );
});

it('reads queues', () => {
  expect(readQueues([{ name: 'q', exchange: { name: 'e', type: 'direct' }, routing_key: 'k' }, { name: 3 }])).toEqual([
    { name: 'q', exchange: 'e', exchangeType: 'direct', routingKey: 'k' },
  ]);
});

it('flattens statistics and settings, and sorts what was done', () => {
  const stats = { pid: 7, pool: { 'max-concurrency': 4, processes: [1, 2], timeouts: {} }, total: { a: 1, b: 5 } };
  expect(readFacts(stats)).toEqual([
    { name: 'pid', value: '7' },
    { name: 'pool.max-concurrency', value: '4' },
    { name: 'pool.processes', value: '[1,2]' },
    { name: 'pool.timeouts', value: '{}' },
    { name: 'total.a', value: '1' },
    { name: 'total.b', value: '5' },
  ]);
  expect(readTotals(stats).map(({ name }) => name)).toEqual(['b', 'a']);
});

it.each([null, 'nonsense', 7, [null], { total: 'x' }])('does not mind %j', (reply) => {
  expect([readTasks(reply), readRegistered(reply && []), readQueues(reply), readTotals(reply)]).toEqual([
    [],
    [],
    [],
    [],
  ]);
});

it('reads a report', () => {
  expect(readReport({ ok: 'software -> celery:5' })).toBe('software -> celery:5');
  expect(readReport('as it is')).toBe('as it is');
});
