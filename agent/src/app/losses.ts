import type { Reject } from '../core/events/event.ts';
import { countMessages, type RawMessage } from '../core/wire/message.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { Metrics } from '../sinks/metrics/metrics.ts';
import type { BrokerTransport, ListeningGap } from '../transport/port.ts';
import type { ListeningLog } from './listening.ts';
import type { Totals } from './pipeline.ts';

/** Overflows closer together than this are one gap. */
const QUIET_MS = 5000;
/** An overflow that goes on is told so often, each time as a gap. */
const LONGEST_MS = 60_000;
/** Of each reason one reject is logged so often, with the number of those between. */
const REJECTS_EVERY_MS = 60_000;

export interface LossesDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Pick<Metrics, 'onReject' | 'onDrop' | 'onGap'>;
  readonly totals: Totals;
  readonly transport: Pick<BrokerTransport, 'health'>;
  readonly history: () => { readonly listening: Pick<ListeningLog, 'recordGap' | 'endGap'> } | undefined;
}

/** Nothing is lost in silence: everything that cannot be used or kept is counted, logged and, as a gap, stored. */
export interface Losses {
  reject(reject: Reject): void;
  /** A message, or a run of them, for which neither memory nor disk had room. */
  overflow(queue: 'intake' | 'history', message: RawMessage): void;
  /** Of a queue's files a part is broken. */
  unreadableIn(queue: 'intake' | 'history'): (path: string, bytes: number) => void;
  /** The broker can be heard again after this time in which it could not. */
  gap(gap: ListeningGap): void;
  /** Messages that found no room since the start. */
  lost(): Readonly<Record<'intake' | 'history', number>>;
  /** Since when an overflow lasts that is not told yet, epoch ms. */
  untoldSinceMs(): number | undefined;
  /** Tells an overflow that is over, or goes on for long, as a gap; to be called every second or so. */
  sweep(nowMs: number): void;
  /** Tells an overflow that is not told yet: nothing more can be lost, or nobody would tell it. */
  close(): void;
}

export function watchLosses({ clock, logger, metrics, totals, transport, history }: LossesDeps): Losses {
  const rejects = new Map<string, { readonly loggedMs: number; readonly unlogged: number }>();
  const lost = { intake: 0, history: 0 };
  let overflowing: { readonly fromMs: number; readonly firstMs: number; toMs: number; messages: number } | undefined;

  function tell(gap: ListeningGap): void {
    logger.warn(gap, 'events could not be heard for a time');
    metrics.onGap(gap);
  }

  function tellOverflow(): void {
    if (overflowing === undefined) return;
    const { fromMs, toMs, messages } = overflowing;
    overflowing = undefined;
    const cause = `${messages} messages found no room: the memory and disk for them were used up`;
    tell({ fromMs, toMs, cause });
    history()?.listening.recordGap({ fromMs, toMs, cause });
  }

  return {
    reject(reject) {
      totals.rejects += 1;
      metrics.onReject(reject.reason);
      const { loggedMs = -Infinity, unlogged = 0 } = rejects.get(reject.reason) ?? {};
      const nowMs = clock.now();
      const isDue = nowMs - loggedMs >= REJECTS_EVERY_MS;
      rejects.set(reject.reason, isDue ? { loggedMs: nowMs, unlogged: 0 } : { loggedMs, unlogged: unlogged + 1 });
      if (isDue)
        logger.warn(
          { ...reject, sinceLast: unlogged },
          'a message, or a part of one, is no event: counted and left out',
        );
      else logger.debug(reject, 'not an event');
    },
    overflow(queue, message) {
      const messages = countMessages(message);
      const { receivedMs } = message;
      totals.dropped += messages;
      lost[queue] += messages;
      metrics.onDrop(queue, messages);
      const nowMs = clock.now();
      overflowing ??= {
        fromMs: Math.min(receivedMs, transport.health().heardUpToMs ?? receivedMs),
        firstMs: nowMs,
        toMs: nowMs,
        messages: 0,
      };
      overflowing.toMs = nowMs;
      overflowing.messages += messages;
    },
    unreadableIn: (queue) => (path, bytes) => {
      // How many messages that were nobody can tell.
      totals.dropped += 1;
      metrics.onDrop(queue, 1);
      logger.error({ path, bytes }, 'waiting messages are lost: this part of their file is broken');
    },
    gap(gap) {
      tell(gap);
      history()?.listening.endGap(gap);
    },
    lost: () => lost,
    untoldSinceMs: () => overflowing?.fromMs,
    sweep(nowMs) {
      if (overflowing === undefined) return;
      const { firstMs, toMs } = overflowing;
      if (nowMs - toMs >= QUIET_MS || nowMs - firstMs >= LONGEST_MS) tellOverflow();
    },
    close: tellOverflow,
  };
}
