import { expect, it } from '@jest/globals';
import type { ControlRequest } from '../core/control/command.ts';
import type { Finding } from '../core/heal/finding.ts';
import { createMasker, DEFAULT_MASK_KEYS } from '../core/mask/mask.ts';
import type { RawMessage } from '../core/wire/message.ts';
import { buildTaskMessage, taskEnvelope } from '../core/wire/task-message.ts';
import { systemClock } from '../lib/clock.ts';
import { quietLogger } from '../sinks/history/history.testkit.ts';
import { HeldSearch, type HeldDeps } from './find-held.ts';

const request = (id: string): object => ({
  ...{ id, name: `app.${id}`, args: "('x',)", kwargs: "{'password': 'hunter2'}", time_start: 900 },
  delivery_info: { routing_key: 'mail' },
});

function message(id: string): RawMessage {
  const task = { name: `app.${id}`, argsJson: '[1]', kwargsJson: '{"token": "hunter2"}', options: {} };
  const built = buildTaskMessage(task, { id, origin: 'gen1@web', nowMs: 0 });
  const payload = Buffer.from(taskEnvelope(built, { queue: 'mail', deliveryTag: id }));
  return { receivedMs: 1, routingKey: 'mail', payload };
}

/** One worker that runs `running`, a queue in which messages lie, and a history that knows what is given. */
function deps(known: Record<string, { readonly name: boolean }>, named: readonly string[] = []): HeldDeps {
  return {
    control: {
      call: ({ method }: ControlRequest) => {
        const reply = method === 'active' ? [request('running')] : [];
        const answers = [
          { worker: 'w@h', ok: true, reply },
          { worker: 'v@h', ok: false, error: '' },
        ];
        return Promise.resolve({ answers });
      },
      queues: () => Promise.resolve([{ name: 'mail' }]),
    },
    tasks: {
      eachMessage: (_queues: readonly string[], onMessage: (raw: RawMessage) => boolean) =>
        Promise.resolve(void ['running', 'waiting', 'heard'].every((id) => onMessage(message(id)))),
    },
    store: {
      unknownAmong: (ids: readonly string[]) => Promise.resolve(ids.filter((id) => known[id] === undefined)),
      unnamedAmong: (ids: readonly string[]) =>
        Promise.resolve(
          ids.flatMap((taskId) =>
            known[taskId]?.name === false ? [{ taskId, state: 'SUCCESS', timestamp: 7, mark: null }] : [],
          ),
        ),
    },
    isNamed: (taskId: string) => named.includes(taskId),
    masker: createMasker(DEFAULT_MASK_KEYS),
    logger: quietLogger,
    clock: { ...systemClock, now: () => 1_000_000 },
  } as unknown as HeldDeps;
}

async function findings(given: HeldDeps, limit = 10): Promise<readonly Finding[]> {
  const found: Finding[] = [];
  for await (const some of (await HeldSearch.begin(limit, given)).findings()) found.push(...some);
  return found;
}

it('finds what workers run and what waits, with secrets masked, once for each task', async () => {
  const found = await findings(deps({}, ['heard']));
  expect(found).toMatchObject([
    { taskId: 'running', basis: undefined, foundAt: 1000, verdict: { state: 'STARTED', at: 900, queue: 'mail' } },
    { taskId: 'waiting', basis: undefined, foundAt: 1000, verdict: { state: 'PENDING', at: null, queue: 'mail' } },
  ]);
  expect(JSON.stringify(found)).not.toContain('hunter2');
});

it('leaves out what the history knows by now, and fills in what events did not tell', async () => {
  expect(
    await findings(deps({ running: { name: false }, waiting: { name: true }, heard: { name: true } })),
  ).toMatchObject([
    {
      taskId: 'running',
      basis: { state: 'SUCCESS', timestamp: 7, mark: null },
      verdict: { state: 'RECEIVED', at: null, name: 'app.running' },
    },
  ]);
});

it('keeps no more tasks than it may', async () => {
  expect((await findings(deps({}), 1)).map(({ taskId }) => taskId)).toEqual(['running']);
  expect((await HeldSearch.begin(10, deps({}, ['running', 'waiting', 'heard']))).isEmpty).toBe(true);
});
