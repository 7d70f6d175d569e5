import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Exporter, Outcome } from './options.ts';

/** Runs what is due when the test moves it, in the order of time. */
export class StepClock implements Clock {
  nowMs = 1_795_400_000_000;
  readonly #timers = new Set<{ atMs: number; readonly everyMs?: number; readonly task: () => void }>();

  now(): number {
    return this.nowMs;
  }

  every(everyMs: number, task: () => void): () => void {
    return this.#add({ atMs: this.nowMs + everyMs, everyMs, task });
  }

  after(delayMs: number, task: () => void): () => void {
    return this.#add({ atMs: this.nowMs + delayMs, task });
  }

  sleep(): Promise<void> {
    throw new Error('not used');
  }

  async pass(ms: number): Promise<void> {
    const untilMs = this.nowMs + ms;
    for (;;) {
      const next = [...this.#timers].sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined || next.atMs > untilMs) break;
      this.nowMs = next.atMs;
      if (next.everyMs === undefined) this.#timers.delete(next);
      else next.atMs += next.everyMs;
      next.task();
      await settled();
    }
    this.nowMs = untilMs;
    await settled();
  }

  #add(timer: { atMs: number; readonly everyMs?: number; readonly task: () => void }): () => void {
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }
}

/** Everything that waits for nothing but promises has happened. */
export async function settled(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
}

/** Stands for OpenTelemetry's exporters: answers as told, and keeps what it took. */
export class TestExporter<T> implements Exporter<T> {
  readonly displayUrl = 'http://receiver/v1';
  readonly batches: (readonly T[])[] = [];
  readonly taken: T[] = [];
  outcome: Outcome | 'silent' = { kind: 'taken' };
  isClosed = false;

  export(items: readonly T[]): Promise<Outcome> {
    this.batches.push(items);
    const { outcome } = this;
    if (outcome === 'silent') return new Promise<Outcome>(() => undefined);
    if (outcome.kind === 'taken') this.taken.push(...items);
    return Promise.resolve(outcome);
  }

  close(): Promise<void> {
    this.isClosed = true;
    return Promise.resolve();
  }
}

/** Keeps the messages. */
export function testLogger(): Logger & { readonly lines: string[] } {
  const lines: string[] = [];
  const keep = (first: unknown, second?: unknown): void => void lines.push(String(second ?? first));
  return { lines, error: keep, warn: keep, info: keep, debug: keep };
}
