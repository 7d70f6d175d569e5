import { afterEach, describe, expect, it } from '@jest/globals';
import type { RawMessage } from '../core/wire/message.ts';
import { systemClock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { BrokerTransport, EventListener, ListeningGap } from './port.ts';

/** A broker that the battery may handle; every test gets a fresh one. */
export interface BrokerHarness {
  /** A transport that listens to this broker; the battery closes it. */
  open(logger: Logger): BrokerTransport;
  /** Publishes on the event exchange. Left out where the broker makes its own events. */
  readonly publish?: (routingKey: string, ...payloads: Buffer[]) => Promise<void>;
  /** Takes the broker away and brings it back. Left out where it cannot go away. */
  readonly restart?: { stop(): Promise<void>; start(): Promise<void> };
  /** Connections that the broker still sees from the transport. */
  readonly connections?: () => Promise<number>;
  /** Events wait in the broker while nobody listens: a lost connection is no gap. */
  readonly keepsEvents?: boolean;
  close(): Promise<void>;
}

/** Polls until `condition` holds; fails with `what` after `timeoutMs`. */
export async function waitUntil(
  what: string,
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 15_000,
): Promise<void> {
  const deadline = systemClock.now() + timeoutMs;
  while (!(await condition())) {
    if (systemClock.now() > deadline) throw new Error(`waited in vain for: ${what}`);
    await systemClock.sleep(10);
  }
}

/** Keeps what it hears, the messages of a run one by one. */
export class RecordingListener implements EventListener {
  readonly messages: RawMessage[] = [];
  readonly gaps: ListeningGap[] = [];

  onMessage(message: RawMessage): void {
    this.messages.push(...messagesOf(message));
  }

  onGap(gap: ListeningGap): void {
    this.gaps.push(gap);
  }
}

/** The messages of a run, to be kept. */
export function messagesOf(message: RawMessage): RawMessage[] {
  const { spans = Uint32Array.of(0, message.payload.length), ...one } = message;
  return Array.from({ length: spans.length / 2 }, (_, n) => ({
    ...one,
    payload: Buffer.from(one.payload.subarray(spans[2 * n], spans[2 * n + 1])),
  }));
}

/** A logger that keeps the lines of level warn and above. */
export function recordingLogger(): Logger & { readonly warnings: string[] } {
  const warnings: string[] = [];
  const ignore = (): void => undefined;
  const keep = (...words: unknown[]): void => {
    warnings.push(words.map((word) => (typeof word === 'string' ? word : '')).join(''));
  };
  return { debug: ignore, info: ignore, warn: keep, error: keep, warnings } as Logger & { readonly warnings: string[] };
}

/** What every transport promises (see `BrokerTransport`). */
export function describeTransport(name: string, makeHarness: () => Promise<BrokerHarness>): void {
  describe(`${name}: what every transport promises`, () => {
    const open: { close(): Promise<void> }[] = [];
    afterEach(async () => {
      for (const resource of open.splice(0).reverse()) await resource.close();
    });

    async function start(): Promise<{
      harness: BrokerHarness;
      transport: BrokerTransport;
      listener: RecordingListener;
    }> {
      const harness = await makeHarness();
      open.push(harness);
      const transport = harness.open(recordingLogger());
      open.push(transport);
      const listener = new RecordingListener();
      transport.consumeEvents(listener);
      await waitUntil('connected', () => transport.health().connected);
      return { harness, transport, listener };
    }

    it('is connected, without a problem, and hides passwords', async () => {
      const { transport } = await start();
      expect(transport.health()).toMatchObject({ connected: true, reconnects: 0 });
      expect(transport.health().problem).toBeUndefined();
      expect(transport.displayUrl).toMatch(/^[a-z+]+:\/\//);
      expect(transport.displayUrl).not.toMatch(/:[^*/@]+@/);
    });

    it('hands on every message in order, with the instant of receipt', async () => {
      const before = systemClock.now();
      const { harness, listener } = await start();
      if (harness.publish === undefined) {
        await waitUntil('some messages', () => listener.messages.length >= 20);
      } else {
        const sent = Array.from({ length: 200 }, (_, n) => Buffer.alloc(1 + ((n * 7919) % 40_000), `${n};`));
        // In small bursts: Redis 7.0 drops a TLS client whose socket is full ("SSL routines::bad length").
        for (let from = 0; from < sent.length; from += 10) {
          await harness.publish('task.multi', ...sent.slice(from, from + 10));
          await waitUntil('the burst', () => listener.messages.length >= Math.min(from + 10, sent.length));
        }
        expect(listener.messages.map(({ payload }) => payload.equals(sent.shift() ?? Buffer.alloc(0)))).not.toContain(
          false,
        );
      }
      const times = listener.messages.map((message) => message.receivedMs);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
      expect(times[0]).toBeGreaterThanOrEqual(before);
      expect(times.at(-1)).toBeLessThanOrEqual(systemClock.now());
      expect(listener.gaps).toEqual([]);
    });

    it('is silent and disconnected after close, which may be called again', async () => {
      const { harness, transport, listener } = await start();
      if (harness.connections !== undefined) expect(await harness.connections()).toBeGreaterThan(0);
      await transport.close();
      const heard = listener.messages.length;
      await harness.publish?.('task.sent', Buffer.from('late'));
      if (harness.connections !== undefined) {
        await waitUntil('no connection left', async () => (await harness.connections?.()) === 0);
      }
      await transport.close();
      expect(listener.messages).toHaveLength(heard);
      expect(transport.health().connected).toBe(false);
    });

    it('comes back after the broker was away, and reports the gap once', async () => {
      const { harness, transport, listener } = await start();
      const { restart, publish } = harness;
      if (restart === undefined || publish === undefined) return;
      await publish('task.sent', Buffer.from('before'));
      await waitUntil('first message', () => listener.messages.length === 1);
      const stoppedMs = systemClock.now();
      await restart.stop();
      await waitUntil('a problem is told', () => transport.health().problem !== undefined);
      expect(transport.health().connected).toBe(false);
      await waitUntil('the problem names the cause', () =>
        /listens|socket|closes|Sentinel/.test(transport.health().problem ?? ''),
      );
      const startedMs = systemClock.now();
      await restart.start();
      await waitUntil('connected again', () => transport.health().connected);
      await publish('task.sent', Buffer.from('after'));
      await waitUntil('message after the gap', () => listener.messages.at(-1)?.payload.toString() === 'after');
      // What was not settled may come again, where the broker waits for that.
      if (harness.keepsEvents !== true) expect(listener.messages).toHaveLength(2);
      expect(transport.health()).toMatchObject({ connected: true, reconnects: 1 });
      expect(transport.health().problem).toBeUndefined();
      if (harness.keepsEvents === true) {
        expect(listener.gaps).toEqual([]);
        return;
      }
      expect(listener.gaps).toHaveLength(1);
      const [gap] = listener.gaps;
      expect(gap?.cause).toMatch(/redis closed the connection|connection lost/);
      expect(gap?.fromMs).toBeGreaterThanOrEqual(stoppedMs - 1000);
      expect(gap?.fromMs).toBeLessThanOrEqual(startedMs);
      expect(gap?.toMs).toBeGreaterThanOrEqual(startedMs);
      expect(gap?.toMs).toBeLessThanOrEqual(systemClock.now());
    });
  });
}
