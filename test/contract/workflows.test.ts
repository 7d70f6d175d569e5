import { beforeAll, expect, it } from '@jest/globals';
import { startAgent } from '../support/agent.ts';
import type { RunningAgent } from '../support/agent.ts';
import { appEnvironment, startCelery } from '../support/celery.ts';
import { getObject } from '../support/http.ts';
import { startPython } from '../support/python.ts';
import { startRedis } from '../support/redis.ts';
import { waitFor, within } from '../support/wait.ts';

interface Workflow {
  readonly tasks: readonly { readonly taskId: string; readonly name: string }[];
  readonly groups: readonly { readonly groupId: string; readonly taskIds: readonly string[] }[];
  readonly groupsKnown: boolean;
}

let brokerUrl: string;
let joining: RunningAgent;
let without: RunningAgent;

beforeAll(async () => {
  const redis = await startRedis();
  brokerUrl = `${redis.url}/0`;
  [joining, without] = await Promise.all([
    startAgent({ brokerUrl, args: ['--result-backend', brokerUrl] }),
    startAgent({ brokerUrl }),
    startCelery({ brokerUrl, name: 'w1', pool: 'threads', concurrency: 3 }),
  ]);
}, 180_000);

/** Sends it from outside a task; resolves to the ids that the expression names, once all of it has ended. */
async function sent(canvas: string, ids: string): Promise<string[]> {
  const code = [
    'import json, uuid',
    'from celery import chain, chord, group',
    'from app import *',
    `sent = ${canvas}`,
    'sent.get(timeout=20)',
    `print(json.dumps(${ids}))`,
  ];
  const python = startPython(['-c', code.join('\n')], appEnvironment({ brokerUrl }));
  const { code: status } = await within(python.exited, 60_000, 'sending a workflow');
  if (status !== 0) throw new Error(python.output());
  return JSON.parse(python.stdout()) as string[];
}

async function workflow(agent: RunningAgent, rootId: string, count: number): Promise<Workflow> {
  let found: Workflow | undefined;
  await waitFor(
    async () => {
      const answer = await getObject(`${agent.url}/api/v1/workflows/${rootId}`).catch(() => ({ tasks: [] }));
      found = answer as unknown as Workflow;
      return found.tasks.length >= count;
    },
    20_000,
    `${count} tasks below ${rootId}`,
  );
  if (found === undefined) throw new Error('no answer');
  return found;
}

const idsOf = ({ tasks }: Workflow): string[] => tasks.map(({ taskId }) => taskId).sort();

it('a chord sent by itself is one workflow, by the groups that the results name', async () => {
  const [total = '', ...parts] = await sent(
    'chord([add.s(1, 1), add.s(2, 2), add.s(3, 3)])(total.s())',
    '[sent.id] + [r.id for r in sent.parent.results]',
  );
  expect(parts).toHaveLength(3);
  for (const part of parts) {
    const found = await workflow(joining, part, 4);
    expect(idsOf(found)).toEqual([total, ...parts].sort());
    expect(found.groups.map(({ taskIds }) => [...taskIds].sort())).toEqual([[...parts].sort()]);
  }
  const alone = await Promise.all(parts.map((part) => workflow(without, part, 1)));
  expect(alone.map(({ tasks, groupsKnown }) => [tasks.length, groupsKnown]).sort()).toEqual([
    [1, false],
    [1, false],
    [2, false],
  ]);
}, 60_000);

it('so are a group, and a group of chains', async () => {
  const pair = await sent('group([add.s(1, 1), add.s(2, 2)])()', '[r.id for r in sent.results]');
  expect(idsOf(await workflow(joining, pair[0] ?? '', 2))).toEqual(pair.sort());

  const chains = await sent(
    'group([chain(add.s(1, 1), add.s(1)), chain(add.s(2, 2), add.s(2))])()',
    '[i for r in sent.results for i in (r.parent.id, r.id)]',
  );
  expect(idsOf(await workflow(joining, chains[2] ?? '', 4))).toEqual(chains.sort());
}, 60_000);

it('with a root of their choice they are one workflow for every agent', async () => {
  const [root = '', ...ids] = await sent(
    'chord([add.s(1, 1), add.s(2, 2)], total.s()).apply_async(root_id=(root := str(uuid.uuid4())))',
    '[root, sent.id] + [r.id for r in sent.parent.results]',
  );
  expect(idsOf(await workflow(without, root, 3))).toEqual(ids.sort());
}, 60_000);
