import { beforeAll, describe, expect, it } from '@jest/globals';
import type { RunningAgent } from '../support/agent.ts';
import { startAgent } from '../support/agent.ts';
import type { CeleryWorker } from '../support/celery.ts';
import { startCelery } from '../support/celery.ts';
import type { FlowerServer } from '../support/flower.ts';
import { startFlower } from '../support/flower.ts';
import { getObject } from '../support/http.ts';
import { startRedis } from '../support/redis.ts';
import { waitFor } from '../support/wait.ts';
import { ODD_OPTIONS, ODD_PATHS, ODD_TASKS, ODD_WRITES } from './flower-odd.testkit.ts';

interface Answer {
  readonly status: number;
  readonly type: string | null;
  readonly body: string;
}

/** One cluster with its monitor: what one monitor does must not be seen by the other. */
interface Side {
  readonly url: string;
  readonly worker: CeleryWorker;
}

let flower: FlowerServer;
let agent: RunningAgent;
/** Flower's, and the agent's. */
let sides: readonly [Side, Side];
let name: string;

beforeAll(async () => {
  const redis = await startRedis();
  const [theirs, ours] = [`${redis.url}/0`, `${redis.url}/1`];
  const start = (brokerUrl: string): Promise<CeleryWorker> =>
    startCelery({ brokerUrl, name: 'w1', queues: ['celery', 'emails'], pool: 'prefork', concurrency: 2 });
  // Everybody may act, as in Flower without a login.
  const env = { FLOWER_UNAUTHENTICATED_API: 'true' };
  const options = { brokerUrl: ours, env, args: ['--result-backend', ours] };
  [flower, agent] = await Promise.all([startFlower({ brokerUrl: theirs }), startAgent(options)]);
  const workers = await Promise.all([start(theirs), start(ours)]);
  name = workers[0].nodeName;
  sides = [
    { url: flower.url, worker: workers[0] },
    { url: agent.url, worker: workers[1] },
  ];
  for (const { url } of sides) {
    await waitFor(
      async () => name in (await getObject(`${url}/api/workers?refresh=1`)),
      60_000,
      `${url} having inspected the worker`,
    );
  }
}, 200_000);

async function ask(url: string, method: string, path: string, body?: string, type?: string): Promise<Answer> {
  const response = await fetch(`${url}${path.replaceAll('WORKER', encodeURIComponent(name))}`, {
    method,
    ...(body === undefined ? {} : { body }),
    headers: type === undefined ? {} : { 'content-type': type },
    signal: AbortSignal.timeout(60_000),
  });
  return { status: response.status, type: response.headers.get('content-type'), body: await response.text() };
}

/** The same request to both, ids and instants made the same. */
async function both(method: string, path: string, body?: string, type?: string): Promise<[Answer, Answer]> {
  const [theirs, ours] = await Promise.all(sides.map(({ url }) => ask(url, method, path, body, type)));
  if (theirs === undefined || ours === undefined) throw new Error('no answer');
  return [comparable(theirs), comparable(ours)];
}

const UUID = /[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}/g;

/** How far a task has come by the time of the answer that names it is the worker's. */
const STATE_OF_NEW = /("task-id": "ID", "state": )"(?:PENDING|STARTED|SUCCESS|FAILURE)"/;

function comparable({ status, type, body }: Answer): Answer {
  const alike = body.replaceAll(UUID, 'ID').replace(STATE_OF_NEW, '$1"STATE"');
  return { status, type: type?.toLowerCase() ?? null, body: alike };
}

const FORM = 'application/x-www-form-urlencoded';

describe('actions on workers', () => {
  it.each([
    ['worker/pool/grow/WORKER', undefined],
    ['worker/pool/grow/WORKER?n=1', 'n=2'],
    ['worker/pool/shrink/WORKER', 'n=2'],
    ['worker/pool/grow/WORKER?n=x', undefined],
    ['worker/pool/grow/WORKER?n=%3Cb%3E', undefined],
    ['worker/pool/grow/nobody@nowhere?n=x', undefined],
    ['worker/pool/shrink/nobody@nowhere', undefined],
    ['worker/pool/autoscale/WORKER', 'min=1&max=3'],
    ['worker/pool/autoscale/WORKER?min=1', undefined],
    ['worker/pool/autoscale/WORKER', 'min=1&max='],
    ['worker/pool/restart/WORKER', undefined],
    ['worker/queue/add-consumer/WORKER', 'queue=reports'],
    ['worker/queue/add-consumer/WORKER', undefined],
    ['worker/queue/cancel-consumer/WORKER?queue=reports', undefined],
    ['worker/queue/cancel-consumer/WORKER', 'queue=never-there'],
    ['worker/shutdown/nobody@nowhere', undefined],
  ])('POST /api/%s %s', async (path, form) => {
    const [theirs, ours] = await both('POST', `/api/${path}`, form, form === undefined ? undefined : FORM);
    // The state of its own pool is what a worker complains of.
    expect(ours).toEqual(theirs);
  });

  it.each(['worker/pool/grow/WORKER', 'task/revoke/x', 'worker/shutdown/WORKER'])(
    'GET /api/%s is 405',
    async (path) => {
      const [theirs, ours] = await both('GET', `/api/${path}`);
      expect(ours).toEqual(theirs);
    },
  );
});

describe('limits', () => {
  it.each([
    ['rate-limit/shop.add', 'workername=WORKER&ratelimit=10/m'],
    ['rate-limit/shop.add', 'workername=WORKER&ratelimit=often'],
    ['rate-limit/shop.add', 'workername=WORKER&ratelimit=0'],
    ['rate-limit/shop.add', 'workername=WORKER'],
    ['rate-limit/shop.add', 'ratelimit=1/s'],
    ['rate-limit/no.such', 'workername=WORKER&ratelimit=1/s'],
    ['rate-limit/shop.add', 'workername=nobody@nowhere&ratelimit=1/s'],
    ['timeout/shop.add', 'workername=WORKER&soft=10&hard=20.5'],
    ['timeout/shop.add', 'workername=WORKER'],
    ['timeout/shop.add', 'workername=WORKER&soft=ten'],
    ['timeout/no.such', 'workername=WORKER&soft=1'],
    ['timeout/shop.add', 'workername=nobody@nowhere&soft=1'],
  ])('POST /api/task/%s %s', async (path, form) => {
    const [theirs, ours] = await both(
      'POST',
      `/api/task/${path}`,
      form.replace('WORKER', encodeURIComponent(name)),
      FORM,
    );
    expect(ours).toEqual(theirs);
  });
});

describe('new tasks', () => {
  it.each([
    ['apply/shop.add', '{"args": [2, 3]}'],
    ['apply/shop.add', '{"args": [2], "kwargs": {"y": 4}, "queue": "emails", "timeout": 20}'],
    ['apply/shop.echo', '{"args": ["Zo\\u00eb </b>", 1.5, null, true, [1, {"a": 2}], 12345678901234567890]}'],
    ['apply/shop.echo', '{"args": [3.0, 1e16, -0.0, {"x": 100.0}], "compression": "gzip", "delivery_mode": 1}'],
    ['apply/shop.add', '{"args": [1.0, 2], "kwargs": null, "queue": null, "root_id": "r", "argsrepr": "(…)"}'],
    ['apply/shop.sleep', '{"args": [1.5], "timeout": 0.1}'],
    ['apply/shop.add', '{"args": [1, 2], "countdown": 0.2, "expires": 60}'],
    ['apply/shop.add', '{'],
    ['apply/shop.add', '[1]'],
    ['apply/shop.add', '{"args": "x"}'],
    ['apply/shop.add', '{"args": [1, 2], "timeout": "soon"}'],
    ['apply/shop.add', '{"args": [1, 2], "eta": "tomorrow"}'],
    ['apply/shop.add', '{"args": [1, 2], "countdown": "x"}'],
    ['apply/shop.add', '{"args": [1, 2], "expires": "x"}'],
    ['apply/no.such', '{"args": []}'],
    ['apply/no.such', '{"args": {}}'],
    ['async-apply/shop.sleep', '{"args": [0.5], "countdown": 1}'],
    ['async-apply/no.such', undefined],
    ['async-apply/shop.add', '{"args": [1,]}'],
    ['send-task/shop.sleep', '{"args": [0.5], "countdown": 1}'],
    ['send-task/shop.add', 'nonsense'],
  ])('POST /api/task/%s %s', async (path, body) => {
    const [theirs, ours] = await both('POST', `/api/task/${path}`, body);
    expect(ours).toEqual(theirs);
  });

  it('of which one fails', async () => {
    for (const body of ['{"args": [1.0]}', '{"args": [12345678901234567890]}']) {
      const [theirs, ours] = await both('POST', '/api/task/apply/shop.fail', body);
      expect(ours).toEqual(theirs);
    }
    const [theirs, ours] = await both('POST', '/api/task/apply/shop.fail', '{"args": ["it\'s broken"]}');
    expect(ours).toEqual(theirs);
    expect(JSON.parse(ours.body)).toMatchObject({ state: 'FAILURE', result: `ValueError("it's broken")` });
  });
});

describe('results', () => {
  /** The same task on both sides; its id differs, and is put into the paths. */
  async function sent(task: string, body: string): Promise<readonly [string, string]> {
    const ids = sides.map(async ({ url }) => {
      const answer = await ask(url, 'POST', `/api/task/async-apply/${task}`, body);
      return (JSON.parse(answer.body) as { 'task-id': string })['task-id'];
    });
    const [theirs = '', ours = ''] = await Promise.all(ids);
    return [theirs, ours];
  }

  async function bothOf(ids: readonly [string, string], method: string, path: string): Promise<[Answer, Answer]> {
    const answers = sides.map(({ url }, i) => ask(url, method, path.replace('TASK', ids[i] ?? '')));
    const [theirs, ours] = await Promise.all(answers);
    if (theirs === undefined || ours === undefined) throw new Error('no answer');
    return [comparable(theirs), comparable(ours)];
  }

  async function ended(ids: readonly [string, string], state: string): Promise<void> {
    for (const [i, { url }] of sides.entries()) {
      const read = async (): Promise<boolean> =>
        (await getObject(`${url}/api/task/result/${ids[i] ?? ''}`))['state'] === state;
      await waitFor(read, 20_000, `${state} at ${url}`);
    }
  }

  it('of a task that succeeds, with and without waiting', async () => {
    const ids = await sent('shop.add', '{"args": [20, 22]}');
    await ended(ids, 'SUCCESS');
    for (const path of ['/api/task/result/TASK', '/api/task/result/TASK?timeout=5']) {
      const [theirs, ours] = await bothOf(ids, 'GET', path);
      expect(ours).toEqual(theirs);
    }
  });

  it('of a task that fails', async () => {
    const ids = await sent('shop.fail', '{"args": ["no"]}');
    await ended(ids, 'FAILURE');
    const [theirs, ours] = await bothOf(ids, 'GET', '/api/task/result/TASK');
    expect(ours).toEqual(theirs);
  });

  it('of a task that is revoked before its time', async () => {
    const ids = await sent('shop.add', '{"args": [1, 1], "countdown": 3}');
    const [theirs, ours] = await bothOf(ids, 'POST', '/api/task/revoke/TASK');
    expect(ours).toEqual(theirs);
    await ended(ids, 'REVOKED');
    const [one, other] = await bothOf(ids, 'GET', '/api/task/result/TASK');
    expect(other).toEqual(one);
  });

  it('of a task that is terminated while it runs', async () => {
    const ids = await sent('shop.sleep', '{"args": [60]}');
    await ended(ids, 'STARTED');
    const [theirs, ours] = await bothOf(ids, 'POST', '/api/task/revoke/TASK?terminate=true&signal=SIGKILL');
    expect(ours).toEqual(theirs);
    await ended(ids, 'REVOKED');
    const [one, other] = await bothOf(ids, 'GET', '/api/task/result/TASK');
    expect(other).toEqual(one);
  });

  it('of a task that is aborted', async () => {
    const ids: [string, string] = ['no-such-id', 'no-such-id'];
    for (const [method, path] of [
      ['POST', 'abort'],
      ['GET', 'result'],
    ] as const) {
      const [theirs, ours] = await bothOf(ids, method, `/api/task/${path}/TASK`);
      expect(ours).toEqual(theirs);
    }
  });

  it.each(['result/unknown-id', 'result/unknown-id?timeout=x', 'result/unknown-id?timeout=0'])(
    'GET /api/task/%s',
    async (path) => {
      const [theirs, ours] = await both('GET', `/api/task/${path}`);
      expect(ours).toEqual(theirs);
    },
  );
});

describe('what is read from the cluster', () => {
  it('queue lengths, over all priorities', async () => {
    const fill = { args: [1, 1], queue: 'reports' };
    for (const priority of [0, 5, 9]) {
      await both('POST', '/api/task/async-apply/shop.add', JSON.stringify({ ...fill, priority }));
    }
    await both('POST', '/api/worker/queue/add-consumer/WORKER', 'queue=reports', FORM);
    await both('POST', '/api/worker/queue/cancel-consumer/WORKER', 'queue=reports', FORM);
    // A worker answers before it has stopped consuming; the agent asks it once more two seconds later.
    const lengths = () => both('GET', '/api/queues/length');
    await waitFor(async () => !(await lengths())[1].body.includes('reports'), 10_000, 'the queue being left');
    const [theirs, ours] = await lengths();
    expect(ours).toEqual(theirs);
    expect(JSON.parse(ours.body)).toMatchObject({ active_queues: [{ name: 'celery' }, { name: 'emails' }] });
  });

  /** Without what differs from process to process. */
  function shapeOf(value: unknown): unknown {
    // A pool that is about to follow a command has a process more or less at each look.
    if (Array.isArray(value)) return [...new Set(value.map((one) => JSON.stringify(shapeOf(one))))].sort();
    if (typeof value === 'number') return 'number';
    if (typeof value !== 'object' || value === null) return typeof value === 'string' ? 'text' : value;
    return Object.fromEntries(
      Object.entries(value)
        .map(([key, member]) => [key, shapeOf(member)] as const)
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    );
  }

  // The one that asks anew comes first: the agent asks again after a command, Flower keeps what it heard at its start.
  it.each(['workers?refresh=1&workername=WORKER', 'workers', 'workers?workername=WORKER'])(
    'GET /api/%s',
    async (path) => {
      const [theirs, ours] = await both('GET', `/api/${path}`);
      expect([ours.status, ours.type]).toEqual([theirs.status, theirs.type]);
      const [wanted, got] = [theirs, ours].map(
        ({ body }) => JSON.parse(body) as Record<string, Record<string, unknown>>,
      );
      expect(Object.keys(got ?? {})).toEqual(Object.keys(wanted ?? {}));
      const [one, other] = [wanted?.[name] ?? {}, got?.[name] ?? {}];
      expect(Object.keys(other).sort()).toEqual(Object.keys(one).sort());
      for (const part of ['stats', 'active_queues', 'registered']) {
        expect([part, shapeOf(other[part])]).toEqual([part, shapeOf(one[part])]);
      }
      expect(Object.keys(other['conf'] ?? {}).sort()).toEqual(Object.keys(one['conf'] ?? {}).sort());
    },
  );

  it.each([
    'workers?workername=nobody@nowhere',
    'workers?workername=nobody@nowhere&refresh=1',
    'workers?refresh=maybe',
    'workers?status=1',
  ])('GET /api/%s', async (path) => {
    const [theirs, ours] = await both('GET', `/api/${path}`);
    expect(ours).toEqual(theirs);
  });
});

describe('odd requests', () => {
  it.each([
    ['ids, parameters and forms', ODD_WRITES],
    ['bodies of new tasks', [...ODD_TASKS, ...ODD_OPTIONS]],
  ])(
    '%s',
    async (_what, requests) => {
      for (const request of requests) {
        const [theirs, ours] = await both(...request);
        expect(theirs.status).toBeLessThan(500);
        expect([request, ours]).toEqual([request, theirs]);
      }
    },
    180_000,
  );

  it('of no route of Flower’s are refused likewise', async () => {
    for (const request of ODD_PATHS) {
      const [theirs, ours] = await both(...request);
      expect([request, ours.status]).toEqual([request, theirs.status]);
    }
  });
});

describe('at the end', () => {
  it.each(['grow', 'shrink'])('a pool is to %s by less than nothing', async (change) => {
    await both('POST', '/api/worker/pool/grow/WORKER?n=3'); // to shrink it ends a process, so there must be one
    const [theirs, ours] = await both('POST', `/api/worker/pool/${change}/WORKER?n=-1`);
    expect(ours).toEqual(theirs);
  });

  it('a pool is shrunk by more than it has, which leaves it without a process', async () => {
    const [theirs, ours] = await both('POST', '/api/worker/pool/shrink/WORKER?n=50');
    expect(theirs.status).toBe(403);
    expect(ours).toEqual(theirs);
  });

  it('a worker is shut down', async () => {
    const [theirs, ours] = await both('POST', '/api/worker/shutdown/WORKER');
    expect(ours).toEqual(theirs);
    for (const { worker } of sides) expect((await worker.exited).code).toBe(0);
  }, 60_000);

  it('all that was done stands in the audit', async () => {
    const read = async (): Promise<readonly { action: string; target: string }[]> =>
      ((await getObject(`${agent.url}/api/v1/audit?limit=1000`))['entries'] ?? []) as {
        action: string;
        target: string;
      }[];
    const entries = await read();
    const actions = new Set(entries.map(({ action }) => action));
    expect([...actions].sort()).toEqual(
      ['apply', 'send', 'abort', 'revoke', 'rate_limit', 'time_limit']
        .map((action) => `task.${action}`)
        .concat(
          ['shutdown', 'pool_grow', 'pool_shrink', 'pool_restart', 'autoscale', 'add_consumer', 'cancel_consumer'].map(
            (action) => `worker.${action}`,
          ),
        )
        .sort(),
    );
    expect(entries[0]).toMatchObject({ action: 'worker.shutdown', target: name });
  });
});
