import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Decoded } from '../core/events/event.ts';
import type { RawMessage } from '../core/wire/message.ts';
import { systemClock } from '../lib/clock.ts';
import { SpillQueue } from '../lib/spill/spill-queue.ts';
import type { EventBatch } from '../sinks/port.ts';
import { messageCodec } from './codecs.ts';
import { startIngest, type Ingest } from './ingest.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ingest-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const message = (text: string): RawMessage => ({ receivedMs: 5, routingKey: '', payload: Buffer.from(text) });

function decode({ payload, receivedMs }: RawMessage): Decoded {
  const uuid = payload.toString();
  if (uuid === 'bad') return { events: [], rejects: [{ reason: 'body', detail: 'bad' }] };
  const head = { type: 'task-sent', group: 'task', subject: 'sent', hostname: 'h', timestamp: 1, clock: 1 } as const;
  return { events: [{ ...head, uuid, identity: 1, receivedMs, fields: {} }], rejects: [] };
}

interface Rig {
  ingest: Ingest;
  seen: string[];
  rejects: string[];
  lost: string[];
  room: { value: boolean };
}

function start(memoryBytes: number, diskBytes = 1e9): Rig {
  const queue = SpillQueue.open({
    directory,
    codec: messageCodec,
    memoryBytes,
    diskBytes,
    onUnreadable: () => undefined,
  });
  const rig: Omit<Rig, 'ingest'> = { seen: [], rejects: [], lost: [], room: { value: true } };
  const ingest = startIngest({
    queue,
    decode,
    clock: systemClock,
    onBatch: ({ events }: EventBatch) => rig.seen.push(...events.map((event) => event.uuid)),
    onEmpty: () => undefined,
    onReject: ({ reason }) => rig.rejects.push(reason),
    onOverflow: ({ payload }) => rig.lost.push(payload.toString()),
    hasRoom: () => rig.room.value,
  });
  return { ...rig, ingest };
}

async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 4000 && !condition(); i += 1) await systemClock.sleep(5);
  expect(condition()).toBe(true);
}

const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `m${String(i)}`);

describe('ingest', () => {
  it('decodes in order, counts what is bad and keeps its neighbours', async () => {
    const { ingest, seen, rejects } = start(1e6);
    for (const text of ['m0', 'bad', 'm1', 'm2']) ingest.accept(message(text));
    expect(seen).toEqual([]);
    await until(() => seen.length === 3);
    expect(seen).toEqual(names(3));
    expect(rejects).toEqual(['body']);
    await ingest.close();
  });

  it('reads a burst faster than it decodes it: what memory cannot hold waits in files, in order', async () => {
    const { ingest, seen, room } = start(10_000);
    room.value = false;
    for (const text of names(5000)) ingest.accept(message(text));
    await systemClock.sleep(20);
    expect(seen).toEqual([]);
    room.value = true;
    ingest.wake();
    await until(() => seen.length === 5000);
    expect(seen).toEqual(names(5000));
    await ingest.close();
  });

  it.each([
    ['memory', 1e6],
    ['files', 0],
  ])('copies what it keeps in %s: the transport reads into the same bytes again', async (_where, memoryBytes) => {
    const { ingest, seen, room } = start(memoryBytes);
    room.value = false;
    const payload = Buffer.alloc(4);
    for (let n = 0; n < 50; n += 1) {
      payload.write(`m${n} `);
      ingest.accept({ receivedMs: 5, routingKey: '', payload });
    }
    room.value = true;
    ingest.wake();
    await until(() => seen.length === 50);
    expect(seen.map((text) => text.trim().split(' ')[0])).toEqual(names(50));
    await ingest.close();
  });

  it('takes up what an earlier run could not decode any more', async () => {
    const first = start(10_000);
    first.room.value = false;
    for (const text of names(300)) first.ingest.accept(message(text));
    await first.ingest.close();
    const second = start(10_000);
    second.ingest.wake();
    await until(() => second.seen.length === 300);
    expect(second.seen).toEqual(names(300));
    await second.ingest.close();
  });

  it('hands back what found no room', async () => {
    const { ingest, seen, lost, room } = start(1000, 500);
    room.value = false;
    for (const text of names(50)) ingest.accept(message(text));
    expect(lost.length).toBeGreaterThan(0);
    room.value = true;
    ingest.wake();
    await until(() => seen.length + lost.length === 50);
    expect([...seen, ...lost]).toEqual(names(50));
    await ingest.close();
  });
});
