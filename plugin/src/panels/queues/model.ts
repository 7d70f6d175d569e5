import type { Queues, Worker } from '../../shared/api';
import type { QueueSort } from './types';

type Queue = Queues['queues'][number];
type Nullable<T> = { readonly [Member in keyof T]?: T[Member] | null };

/** A queue as the panel shows it; undefined members: the broker does not tell. */
export interface QueueRow extends Queue {
  /** Node names of workers that are online and consume it, sorted; undefined while they are not known */
  readonly workers?: readonly string[];
}

/** Why a queue needs a look. */
export type QueueMark = 'no-consumers' | 'growing';

export function toQueueRows(
  queues: ReadonlyArray<Nullable<Queue>>,
  workers: ReadonlyArray<Partial<Worker>>,
): QueueRow[] {
  const consumers = consumersOf(workers);
  return queues.flatMap((queue) => {
    const told = Object.entries(queue).filter(([, value]) => value !== null && value !== undefined);
    const { name, ...rest } = Object.fromEntries(told) as Partial<Queue>;
    return name === undefined ? [] : [{ ...rest, name, ...(consumers && { workers: consumers.get(name) ?? [] }) }];
  });
}

/** Workers by queue; undefined when one that is online has not told its queues yet. */
function consumersOf(workers: ReadonlyArray<Partial<Worker>>): ReadonlyMap<string, readonly string[]> | undefined {
  const online = workers.filter((worker) => worker.online === true);
  if (workers.length === 0 || online.some(({ queues }) => !Array.isArray(queues))) {
    return undefined;
  }
  const byQueue = new Map<string, string[]>();
  for (const { hostname = '', queues = [] } of online) {
    for (const queue of queues) {
      byQueue.set(queue, [...(byQueue.get(queue) ?? []), hostname]);
    }
  }
  for (const names of byQueue.values()) {
    names.sort();
  }
  return byQueue;
}

/** Consumers as the broker counts them, else the workers that say they consume it. */
export function consumerCount({ consumers, workers }: QueueRow): number | undefined {
  return consumers ?? workers?.length;
}

/** @param samples of this queue, the oldest first */
export function marksOf(row: QueueRow, samples: readonly LengthSample[] = []): QueueMark[] {
  const isLeft = consumerCount(row) === 0 && row.messages !== undefined;
  return [...(isLeft ? ['no-consumers' as const] : []), ...(isGrowing(row, samples) ? ['growing' as const] : [])];
}

export interface LengthSample {
  readonly atMs: number;
  readonly messages: number;
}

/** Lengths lately seen, by queue. */
export type LengthHistory = ReadonlyMap<string, readonly LengthSample[]>;

const KEEP_MS = 10 * 60_000;
const KEEP = 40;
/** Answers closer to each other say the same. */
const LEAST_APART_MS = 1000;

/** The history with one more answer; queues that are gone are forgotten. */
export function track(history: LengthHistory, rows: readonly QueueRow[], nowMs: number): LengthHistory {
  return new Map(
    rows.flatMap(({ name, messages }) => {
      if (messages === undefined) {
        return [];
      }
      const kept = (history.get(name) ?? []).filter(
        ({ atMs }) => atMs > nowMs - KEEP_MS && atMs <= nowMs - LEAST_APART_MS,
      );
      return [[name, [...kept, { atMs: nowMs, messages }].slice(-KEEP)] as const];
    }),
  );
}

/** Of what was there at first; a few messages more are no growth. */
const GROWTH = 0.1;
const LEAST_GROWTH = 5;
const LEAST_SAMPLES = 3;

/**
 * More comes in than goes out: by what the panel has seen (at least three answers, now the longest, and by a tenth
 * longer than at first), or by the broker's rates while little has been seen.
 */
function isGrowing({ messages = 0, publishRate, deliverRate }: QueueRow, samples: readonly LengthSample[]): boolean {
  const first = samples[0]?.messages;
  if (samples.length < LEAST_SAMPLES || first === undefined) {
    return (
      messages > 0 && publishRate !== undefined && deliverRate !== undefined && publishRate > deliverRate * (1 + GROWTH)
    );
  }
  const isLongest = samples.every((sample) => sample.messages <= messages);
  return isLongest && messages - first >= Math.max(first * GROWTH, LEAST_GROWTH);
}

export function isEmpty({ messages = 0, unacked = 0 }: QueueRow): boolean {
  return messages === 0 && unacked === 0;
}

/** What is not known stands last, either way. */
export function sortRows(rows: readonly QueueRow[], by: QueueSort, descending: boolean): QueueRow[] {
  const sign = descending ? -1 : 1;
  const value = (row: QueueRow) => (by === 'consumers' ? consumerCount(row) : row[by]);
  return [...rows].sort((a, b) => {
    const [left, right] = [value(a), value(b)];
    if (left === undefined || right === undefined) {
      return Number(left === undefined) - Number(right === undefined) || (a.name < b.name ? -1 : 1);
    }
    // The oldest first is the earliest instant.
    const order = by === 'oldestMs' ? -sign : sign;
    return left === right ? (a.name < b.name ? -1 : 1) : left < right ? -order : order;
  });
}
