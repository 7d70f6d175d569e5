import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { CeleryEvent, Decoded } from '../core/events/event.ts';
import type { RawMessage } from '../core/wire/message.ts';
import { systemClock } from '../lib/clock.ts';
import { SpillQueue } from '../lib/spill/spill-queue.ts';
import { type EventBatch, eventBatch } from '../sinks/port.ts';
import { batchCodec } from './codecs.ts';
import { EVENTS_AHEAD, EVENTS_PER_WRITE, startHistoryFeed, type HistoryFeed } from './history-feed.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'feed-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const silent = { debug() {}, info() {}, warn() {}, error() {} };

function decode(message: RawMessage): Decoded {
  const uuid = message.payload.toString();
  const event: CeleryEvent = {
    type: 'task-sent',
    group: 'task',
    subject: 'sent',
    hostname: 'gen1@h',
    uuid,
    timestamp: 1,
    clock: 1,
    identity: 1,
    receivedMs: message.receivedMs,
    fields: {},
  };
  return { events: [event], rejects: [] };
}

function batch(id: number): EventBatch {
  const message = { receivedMs: id, routingKey: 'task.sent', payload: Buffer.from(`task-${String(id)}`) };
  return eventBatch(message, decode(message).events);
}

const idsOf = (batches: readonly EventBatch[]): string[] => batches.flatMap(({ events }) => events.map((e) => e.uuid));

interface Rig {
  feed: HistoryFeed;
  written: string[];
  sizes: number[];
  down: { value: boolean };
  overflow: EventBatch[];
}

function start(memoryBytes = 1e6, diskBytes = 1e9): Rig {
  const queue = SpillQueue.open({
    directory,
    codec: batchCodec(decode),
    memoryBytes,
    diskBytes,
    onUnreadable: () => undefined,
  });
  const rig: Omit<Rig, 'feed'> = { written: [], sizes: [], down: { value: false }, overflow: [] };
  const feed = startHistoryFeed({
    queue,
    clock: systemClock,
    logger: silent,
    onRoom: () => undefined,
    onOverflow: (lost) => rig.overflow.push(lost),
    write: async (batches) => {
      await systemClock.sleep(1);
      if (rig.down.value) throw new Error('connect ECONNREFUSED');
      rig.written.push(...idsOf(batches));
      rig.sizes.push(batches.length);
    },
  });
  return { ...rig, feed };
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 4000 && !condition(); i += 1) await systemClock.sleep(10);
  expect(condition()).toBe(true);
}

const names = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, i) => `task-${String(from + i)}`);

describe('history feed', () => {
  it('writes what comes together in one transaction, and soon', async () => {
    const { feed, written, sizes } = start();
    const began = Date.now();
    for (let i = 0; i < 50; i += 1) feed.push(batch(i));
    await until(() => written.length === 50);
    expect(Date.now() - began).toBeLessThan(1000);
    expect(sizes).toEqual([50]);
    expect(written).toEqual(names(0, 50));
    await feed.close(Date.now() + 1000);
  });

  it('bounds a transaction', async () => {
    const { feed, written, sizes } = start(1e8);
    for (let i = 0; i < 10_000; i += 1) feed.push(batch(i));
    await until(() => written.length === 10_000);
    expect(Math.max(...sizes)).toBe(EVENTS_PER_WRITE);
    await feed.close(Date.now() + 1000);
  });

  it('loses nothing and keeps the order while the database is away, also over a restart meanwhile', async () => {
    const first = start(2000);
    first.down.value = true;
    for (let i = 0; i < 100; i += 1) first.feed.push(batch(i));
    await until(() => first.feed.problem() === 'connect ECONNREFUSED');
    expect(first.feed.hasRoom()).toBe(true);
    for (let i = 100; i < 200; i += 1) first.feed.push(batch(i));
    await first.feed.close(Date.now() + 50);
    expect(readdirSync(directory).length).toBeGreaterThan(0);

    const second = start(2000);
    for (let i = 200; i < 300; i += 1) second.feed.push(batch(i));
    await until(() => second.written.length === 300);
    expect(second.written).toEqual(names(0, 300));
    expect(second.feed.problem()).toBeUndefined();
    await second.feed.close(Date.now() + 1000);
    expect(readdirSync(directory)).toEqual([]);
  });

  it('goes on by itself when the database is back', async () => {
    const { feed, written, down } = start(2000);
    down.value = true;
    for (let i = 0; i < 100; i += 1) feed.push(batch(i));
    await until(() => feed.problem() !== undefined);
    expect(feed.oldestMs()).toBe(0);
    down.value = false;
    await until(() => written.length === 100);
    expect(written).toEqual(names(0, 100));
    expect(feed.oldestMs()).toBeUndefined();
    await feed.close(Date.now() + 1000);
  });

  it('asks the pump to wait when it cannot keep up', async () => {
    const { feed, written } = start(1e8);
    for (let i = 0; i < EVENTS_AHEAD - 1; i += 1) feed.push(batch(i));
    expect(feed.hasRoom()).toBe(true);
    feed.push(batch(EVENTS_AHEAD - 1));
    expect(feed.hasRoom()).toBe(false);
    await until(() => written.length === EVENTS_AHEAD);
    expect(feed.hasRoom()).toBe(true);
    await feed.close(Date.now() + 1000);
  });

  it('hands back what no room was found for', async () => {
    const { feed, overflow, down, written } = start(3000, 1500);
    for (let i = 0; i < 3; i += 1) feed.push(batch(i));
    down.value = true;
    await until(() => feed.problem() !== undefined);
    for (let i = 3; i < 100; i += 1) feed.push(batch(i));
    expect(overflow.length).toBeGreaterThan(0);
    down.value = false;
    await until(() => written.length + overflow.length === 100);
    expect([...written, ...idsOf(overflow)]).toEqual(names(0, 100));
    await feed.close(Date.now() + 1000);
  });
});
