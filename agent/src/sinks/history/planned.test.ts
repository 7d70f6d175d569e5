import { beforeAll, describe, expect, it } from '@jest/globals';
import { Chance } from '../../../../test/differential/streams.testkit.ts';
import { waitFor } from '../../../../test/support/wait.ts';
import type { CeleryEvent } from '../../core/events/event.ts';
import { type EventBatch, eventBatch } from '../port.ts';
import { event, everything, type HistoryKit, life, openHistoryKit } from './history.testkit.ts';
import type { HistoryWriter } from './writer.ts';

/** Lives of tasks that overlap, a few events doubled, in writes of a dozen events. */
function streamOf(seed: number): CeleryEvent[][] {
  const chance = new Chance(seed);
  const events: CeleryEvent[] = [];
  const open: CeleryEvent[][] = [];
  for (let task = 0; task < 60 || open.length > 0;) {
    if (task < 60 && (open.length < 4 || chance.yes(0.4))) {
      const uuid = `t${seed}-${task++}`;
      const lived = life(uuid, task);
      const retried = chance.yes(0.2) ? [event('task-retried', uuid, task + 1.5, { exception: 'OSError()' })] : [];
      open.push([...lived.slice(0, 2), ...retried, ...lived.slice(2), event('worker-heartbeat', 'celery@one', task)]);
      continue;
    }
    const one = chance.below(open.length);
    const next = open[one]?.shift();
    if (next === undefined) open.splice(one, 1);
    else events.push(next, ...(chance.yes(0.05) ? [next] : []));
  }
  return Array.from({ length: Math.ceil(events.length / 12) }, (_, at) => events.slice(at * 12, at * 12 + 12));
}

interface Batches {
  readonly all: readonly EventBatch[];
  /** Batches whose events were decoded once more. */
  readonly again: () => number;
}

function batchesOf(writes: readonly (readonly CeleryEvent[])[]): Batches {
  let again = 0;
  const all = writes.map((events) =>
    eventBatch({ receivedMs: 0, routingKey: '', payload: Buffer.alloc(0) }, events, () => {
      again += 1;
      return events;
    }),
  );
  return { all, again: () => again };
}

/** As the feed does: four writes under way, in order; after a failure all that is not stored is offered again. */
async function feed(
  writer: HistoryWriter,
  batches: readonly EventBatch[],
  between?: (at: number) => void,
): Promise<void> {
  let stored = 0;
  while (stored < batches.length) {
    const underWay = batches.slice(stored, stored + 4).map((batch, at) => {
      between?.(stored + at);
      return writer.write([batch]);
    });
    const done = await Promise.allSettled(underWay);
    const failed = done.findIndex(({ status }) => status === 'rejected');
    expect(done.slice(failed < 0 ? done.length : failed).every(({ status }) => status === 'rejected')).toBe(true);
    stored += failed < 0 ? done.length : failed;
  }
}

async function loaded(writer: HistoryWriter): Promise<HistoryWriter> {
  await waitFor(() => writer.stats().recallLoaded, 10_000, 'the stored ids loaded');
  return writer;
}

/** What is stored when each write waits for the one before. */
async function oneByOne(writes: readonly (readonly CeleryEvent[])[]): Promise<unknown> {
  const kit = await openHistoryKit();
  const writer = kit.open();
  for (const batch of batchesOf(writes).all) await writer.write([batch]);
  return everything(kit);
}

describe('writes that are planned before their turn', () => {
  let kit: HistoryKit;
  beforeAll(async () => {
    kit = await openHistoryKit();
  });

  it('store what they store one after the other, and let go of their events', async () => {
    // A doubled event in two writes is one that Postgres refuses: not what this is about.
    const writes = streamOf(1).map((events) => events.filter(isFirst(new Set())));
    const seen = new Set<CeleryEvent>();
    const distinct = writes.map((events) => events.filter(isFirst(seen)));
    const { all, again } = batchesOf(distinct);
    await feed(await loaded(kit.open({ recall: true })), all);
    expect(again()).toBe(0);
    expect(all.reduce((sum, { events }) => sum + events.length, 0)).toBe(distinct.flat().length);
    expect(again()).toBe(all.filter(({ size }) => size > 0).length);
    expect(await everything(kit)).toEqual(await oneByOne(distinct));
  });

  it('do so where doubled events void what was planned', async () => {
    const own = await openHistoryKit();
    const writes = streamOf(2);
    await feed(await loaded(own.open({ recall: true })), batchesOf(writes).all);
    expect(await everything(own)).toEqual(await oneByOne(writes));
  });

  it('do so beside another writer', async () => {
    const own = await openHistoryKit();
    const writes = streamOf(3);
    const two = [await loaded(own.open({ recall: true })), await loaded(own.open({ recall: true }))];
    await Promise.all(two.map((writer) => feed(writer, batchesOf(writes).all)));
    expect(await everything(own)).toEqual(await oneByOne(writes));
  });

  it('do so where connections break under them', async () => {
    const own = await openHistoryKit();
    const seen = new Set<CeleryEvent>();
    const writes = streamOf(4).map((events) => events.filter(isFirst(seen)));
    const chance = new Chance(4);
    const cut: Promise<unknown>[] = [];
    const writer = await loaded(own.open({ recall: true }));
    await feed(writer, batchesOf(writes).all, () => {
      if (chance.yes(0.3)) cut.push(kit.rows(BREAK, [new URL(own.url).pathname.slice(1)]));
    });
    expect((await Promise.all(cut)).length).toBeGreaterThan(0);
    expect(await everything(own)).toEqual(await oneByOne(writes));
  });

  it('do so where an event in the middle is refused', async () => {
    const own = await openHistoryKit();
    const seen = new Set<CeleryEvent>();
    const writes = streamOf(5).map((events) => events.filter(isFirst(seen)));
    await own.rows(`alter table celery_task_events add check (fields->>'exception' is distinct from 'OSError()')`);
    await feed(await loaded(own.open({ recall: true })), batchesOf(writes).all);
    const refused = writes.flat().filter(({ subject }) => subject === 'retried').length;
    const marked = `select count(*)::int as n from celery_task_events where fields ? 'umbel:refused'`;
    expect(refused).toBeGreaterThan(0);
    expect(await own.rows(marked.replace('fields ?', 'fields::jsonb ?'))).toEqual([{ n: refused }]);
    const stored = await own.rows<{ n: number }>('select count(*)::int as n from celery_task_events');
    expect(stored).toEqual([{ n: writes.flat().filter(({ group }) => group === 'task').length }]);
    const tasks = `select count(*)::int as n from celery_tasks where state = 'SUCCESS'`;
    expect(await own.rows(tasks)).toEqual([{ n: 60 }]);
  });
});

const BREAK = `select pg_terminate_backend(pid) from pg_stat_activity
  where datname = $1 and application_name = 'umbel-agent' and state <> 'idle'`;

function isFirst(seen: Set<CeleryEvent>): (event: CeleryEvent) => boolean {
  return (one) => !seen.has(one) && seen.add(one).size > 0;
}
