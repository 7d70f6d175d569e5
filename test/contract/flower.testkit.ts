import { beforeAll, describe, expect, it } from '@jest/globals';
import type { AppPlace, CeleryWorker } from '../support/celery.ts';
import { runLoad } from '../support/celery.ts';
import type { FlowerServer } from '../support/flower.ts';
import { startFlower } from '../support/flower.ts';
import type { RunningAgent } from '../support/agent.ts';
import { startAgent } from '../support/agent.ts';
import { getObject, getText } from '../support/http.ts';
import type { Scrape } from '../support/prometheus-text.ts';
import { waitFor } from '../support/wait.ts';
import { countedEvents, startTwoWorkers, untilBothQuiet, untilHeard, untilStored } from './cluster.ts';
import { ODD_LISTINGS, ODD_READS } from './flower-odd.testkit.ts';
import { METRIC_DIFFERENCES, comparable, isCreatedSeries, printedNumbers } from './flower-differences.ts';

type Task = Record<string, unknown>;

export interface FlowerScene extends AppPlace {
  /** Redis, which the load asks for the states of its tasks. */
  readonly backend: string;
}

/** Everything that can be read of Flower 2.2 and of the agent beside it, compared: `tasks` of every kind, with a kill of the agent in between. */
export function describeReadsLikeFlower(tasks: number, openBroker: () => Promise<FlowerScene>): void {
  let flower: FlowerServer;
  let agent: RunningAgent;
  let workers: CeleryWorker[];
  let beforeKill: Scrape;
  let flowerMetrics: Scrape;
  let agentMetrics: Scrape;
  let flowerTasks: Record<string, Task>;
  let expected: Record<string, string>;

  /** The whole scene: half of the tasks, the agent killed and started again, the other half. */
  beforeAll(async () => {
    const place = await openBroker();
    const { brokerUrl, backend } = place;
    [flower, agent] = await Promise.all([startFlower({ brokerUrl, backend }), startAgent({ brokerUrl })]);
    await waitFor(
      async () => (await agent.metrics()).sum('umbel_broker_connected') === 1,
      20_000,
      'the agent listening',
    );
    workers = await startTwoWorkers(place);
    const half = ['--tasks', String(tasks / 2)];
    const first = await runLoad('mixed', place, [...half, '--seed', '1']);
    await untilHeard(flower.url, first.expected);
    ({ agent: beforeKill } = await untilBothQuiet(flower.url, agent));
    await untilStored(flower.url, agent.url);
    await agent.kill('SIGKILL');
    await agent.restart();
    await waitFor(
      async () => (await agent.metrics()).sum('umbel_broker_connected') === 1,
      20_000,
      'the agent listening',
    );
    const second = await runLoad('mixed', place, [...half, '--seed', '2']);
    await untilHeard(flower.url, second.expected);
    ({ flower: flowerMetrics, agent: agentMetrics } = await untilBothQuiet(
      flower.url,
      agent,
      countedEvents(beforeKill),
    ));
    await untilStored(flower.url, agent.url);
    flowerTasks = (await getObject(`${flower.url}/api/tasks`)) as Record<string, Task>;
    expected = { ...first.expected, ...second.expected };
  }, 400_000);

  /** The same request to both. */
  async function both(
    path: string,
  ): Promise<[Awaited<ReturnType<typeof getText>>, Awaited<ReturnType<typeof getText>>]> {
    return Promise.all([getText(`${flower.url}${path}`), getText(`${agent.url}${path}`)]);
  }

  describe('tasks', () => {
    it('both hold every task that was sent, in the state that its load expects', () => {
      expect(Object.keys(expected).length).toBeGreaterThanOrEqual(tasks * 0.95);
      const wrong = Object.entries(expected).filter(([id, state]) => flowerTasks[id]?.['state'] !== state);
      expect(wrong).toEqual([]);
    });

    it('every task agrees in all its keys, also in their order', async () => {
      const wanted = Object.values(flowerTasks).map(comparable);
      const read = async (): Promise<Task[]> =>
        Object.values((await getObject(`${agent.url}/api/tasks`)) as Record<string, Task>).map(comparable);
      const same = async (): Promise<boolean> => JSON.stringify(await read()) === JSON.stringify(wanted);
      await waitFor(same, 10_000, 'equal listings').catch(() => undefined); // the comparison below tells what differs
      const got = new Map((await read()).map((task) => [task['uuid'], task]));
      for (const task of wanted) {
        expect(got.get(task['uuid'])).toEqual(task);
        expect(Object.keys(got.get(task['uuid']) ?? {})).toEqual(Object.keys(task));
      }
      expect([...got.keys()]).toEqual(Object.keys(flowerTasks));
    }, 60_000);

    it('numbers are printed as Python prints them', async () => {
      const [theirs, ours] = await both('/api/tasks?limit=50&sort_by=received');
      const numbers = printedNumbers(ours.body);
      expect(numbers).toEqual(printedNumbers(theirs.body));
      expect(numbers.length).toBeGreaterThan(200);
    });

    const listings = [
      'limit=10',
      'limit=0',
      'limit=-3',
      'offset=-5&limit=3',
      'limit=7&offset=100',
      'offset=999999',
      'sort_by=received&limit=40',
      'sort_by=-received&limit=40',
      'sort_by=name&limit=40',
      'sort_by=-name&limit=40&offset=30',
      'sort_by=state&limit=40',
      'sort_by=started&limit=40',
      'sort_by=--started&limit=40',
      'state=FAILURE',
      'state=failure&limit=5',
      'state=REVOKED',
      'state=STARTED',
      'state=PROGRESS',
      'state=All&limit=5',
      'taskname=shop.flaky',
      'taskname=unknown.task',
      'workername=w1@nowhere',
      'received_start=2020-01-01 00:00&limit=20',
      'received_start=2035-01-01 00:00',
      'received_end=2020-01-01 00:00',
      'search=shop.add&limit=20',
      'search=SHOP.HOPE',
      'search=state:FAILURE name:fail&limit=20',
      'search=name:flaky OR name:hopeless&limit=30',
      'search=(name:flaky OR name:hopeless) AND state:success',
      'search="order 3"&limit=20',
      'search=args:order&limit=10',
      'search=result:retries&limit=10',
      'search=kwargs:subject="tab"',
      'search=kwargs:body=y&limit=5',
      'search=Zoë',
      'search=zoË&limit=3',
      'search=foo:bar',
      'search=%25%25%25',
      'search=___',
      'search=worker:w2&taskname=shop.add&state=SUCCESS&limit=9',
      ...ODD_LISTINGS,
    ];
    it.each(listings)('/api/tasks?%s', async (query) => {
      const [theirs, ours] = await both(`/api/tasks?${query.replaceAll(' ', '%20').replaceAll('"', '%22')}`);
      expect(ours.status).toBe(theirs.status);
      const [wanted, got] = [theirs, ours].map(({ body }) => JSON.parse(body) as Record<string, Task>);
      expect(Object.keys(got ?? {})).toEqual(Object.keys(wanted ?? {}));
      expect(Object.values(got ?? {}).map(comparable)).toEqual(Object.values(wanted ?? {}).map(comparable));
    });

    it('/api/tasks?workername= of each worker', async () => {
      for (const { nodeName } of workers) {
        const [theirs, ours] = await both(`/api/tasks?workername=${encodeURIComponent(nodeName)}`);
        const ids = Object.keys(JSON.parse(theirs.body) as object);
        expect(ids.length).toBeGreaterThan(0);
        expect(Object.keys(JSON.parse(ours.body) as object)).toEqual(ids);
      }
    });

    it('/api/task/info/<id> of tasks of every name and state', async () => {
      const sample = new Map<string, string>();
      for (const [id, task] of Object.entries(flowerTasks)) {
        const { name, state, retries, parent_id, children } = task as Task & { children: string[] };
        sample.set(JSON.stringify([name, state, retries, parent_id === null, children.length]), id);
      }
      const states = new Set([...sample.keys()].map((key) => String((JSON.parse(key) as unknown[])[1])));
      expect([...states].sort()).toEqual(expect.arrayContaining(['FAILURE', 'REVOKED', 'STARTED', 'SUCCESS']));
      expect(sample.size).toBeGreaterThanOrEqual(12);
      for (const id of sample.values()) {
        const [theirs, ours] = await both(`/api/task/info/${id}`);
        expect(ours.status).toBe(200);
        expect(comparable(JSON.parse(ours.body) as Task)).toEqual(comparable(JSON.parse(theirs.body) as Task));
      }
    });

    it('/api/task/types', async () => {
      const [theirs, ours] = await both('/api/task/types');
      expect(JSON.parse(ours.body)).toEqual(JSON.parse(theirs.body));
    });
  });

  describe('workers', () => {
    it('/api/workers?status=1', async () => {
      const answer = await getObject(`${agent.url}/api/workers?status=1`);
      expect(answer).toEqual(Object.fromEntries(workers.map(({ nodeName }) => [nodeName, true])));
      expect(answer).toEqual(await getObject(`${flower.url}/api/workers?status=1`));
    });
  });

  describe('errors and headers', () => {
    const failing = [
      '/api/tasks?limit=abc',
      '/api/tasks?limit=',
      '/api/tasks?sort_by=nonsense',
      '/api/tasks?received_start=yesterday',
      '/api/tasks?received_end=2024-13-40%2000:00',
      '/api/tasks?search=ab',
      '/api/tasks?search=state:',
      '/api/tasks?search=%22open',
      '/api/tasks?search=(shop',
      '/api/tasks?search=NOT%20shop',
      '/api/tasks?search=-shop',
      '/api/tasks?search=shop%20OR',
      '/api/tasks?search=()',
      '/api/tasks?search=((((((shop))))))',
      '/api/task/info/no-such-task',
      '/api/task/info/%3Cb%3E',
      '/api/workers?workername=nobody@nowhere',
      ...ODD_READS,
    ];
    it.each(failing)('%s', async (path) => {
      const [theirs, ours] = await both(path);
      expect(theirs.status).toBeGreaterThanOrEqual(400);
      expect({ status: ours.status, body: ours.body }).toEqual({ status: theirs.status, body: theirs.body });
      expect(ours.headers.get('content-type')?.toLowerCase()).toBe(theirs.headers.get('content-type')?.toLowerCase());
    });

    it.each(['/api/tasks?limit=1', '/api/task/types', '/healthcheck'])('headers of %s', async (path) => {
      const [theirs, ours] = await both(path);
      for (const name of ['content-type', 'x-content-type-options']) {
        expect([name, ours.headers.get(name)?.toLowerCase()]).toEqual([name, theirs.headers.get(name)?.toLowerCase()]);
      }
      expect(ours.headers.get('etag')).toBeTruthy();
    });

    it('an unchanged answer is 304', async () => {
      const etag = (await getText(`${agent.url}/api/task/types`)).headers.get('etag') ?? '';
      const again = await getText(`${agent.url}/api/task/types`, { 'if-none-match': etag });
      expect([again.status, again.body]).toEqual([304, '']);
    });

    it('/healthcheck says OK', async () => {
      const [theirs, ours] = await both('/healthcheck');
      expect(ours.body).toBe(theirs.body);
    });
  });

  describe('metrics', () => {
    /** Counters and histograms of the family set: monotonous, so a restart's two parts add up. */
    const adds = (name: string): boolean =>
      /^flower_(events_total|task_runtime_seconds_(bucket|sum|count))$/.test(name) && !isCreatedSeries(name);

    it('every flower_* counter of both lives of the agent adds up to Flower’s', () => {
      const wanted = flowerMetrics.select(adds);
      const got = agentMetrics.select(adds);
      for (const [key, value] of beforeKill.select(adds)) got.set(key, (got.get(key) ?? 0) + value);
      const rounded = (all: Map<string, number>): Record<string, number> =>
        Object.fromEntries(
          [...all].map(([key, value]): [string, number] => [key, Math.round(value * 1e6) / 1e6]).sort(),
        );
      expect(wanted.size).toBeGreaterThan(100);
      expect(rounded(got)).toEqual(rounded(wanted));
    });

    it('flower_worker_online agrees', () => {
      const online = (name: string): boolean => name === 'flower_worker_online';
      expect(Object.fromEntries(agentMetrics.select(online))).toEqual(Object.fromEntries(flowerMetrics.select(online)));
    });

    it('no task is executing and none is prefetched in either', async () => {
      const family = 'flower_worker_number_of_currently_executing_tasks';
      const read = async (): Promise<unknown> =>
        Object.fromEntries((await agent.metrics()).select((n) => n === family));
      await waitFor(async () => (await agent.metrics()).sum(family) === 0, 10_000, 'idle workers');
      expect(await read()).toEqual(Object.fromEntries(workers.map((w) => [`${family}{worker="${w.nodeName}"}`, 0])));
    });

    it('has every family of Flower’s', () => {
      const families = (metrics: Scrape): string[] =>
        [...new Set([...metrics.samples.values()].map(({ name }) => name))]
          .filter((name) => name.startsWith('flower_') && !isCreatedSeries(name))
          .sort();
      expect(families(agentMetrics)).toEqual(families(flowerMetrics));
      expect(Object.keys(METRIC_DIFFERENCES).every((family) => families(flowerMetrics).includes(family))).toBe(true);
    });

    it('celery-exporter’s families count the same events', () => {
      for (const type of ['sent', 'received', 'started', 'succeeded', 'failed', 'retried', 'revoked', 'rejected']) {
        const flowers = agentMetrics.sum('flower_events_total', { type: `task-${type}` });
        expect([type, agentMetrics.sum(`celery_task_${type}_total`)]).toEqual([type, flowers]);
      }
    });
  });
}
