import type { RawMessage } from '../core/wire/message.ts';

/** Where the connection to the broker stands; `problem` says in one sentence what is wrong and what to do. */
export interface TransportHealth {
  readonly connected: boolean;
  /** Epoch ms of the last change of `connected`. */
  readonly sinceMs: number;
  readonly reconnects: number;
  readonly problem?: string;
  /** While connected but silent: what may keep the events away, and what to change. */
  readonly hint?: string;
}

/** A time in which events could not be heard: one row of `umbel_gaps`. */
export interface ListeningGap {
  readonly fromMs: number;
  readonly toMs: number;
  /** e.g. `connection lost: ECONNRESET`, `redis closed the connection: output buffer limit`. */
  readonly cause: string;
}

export interface EventListener {
  /** Called for each message in order of arrival. Never throws, never blocks. */
  onMessage(message: RawMessage): void;
  /** Called once listening works again after it did not. */
  onGap(gap: ListeningGap): void;
}

/** A broker, as far as the agent uses it. */
export interface BrokerTransport {
  readonly scheme: 'redis' | 'amqp' | 'demo';
  /** The broker's URL with its password hidden, for logs and pages. */
  readonly displayUrl: string;
  /**
   * Starts listening to Celery's event exchange. Resolves at once: connecting goes on in the background, with
   * back-off, for ever; `health()` tells how it stands.
   */
  consumeEvents(listener: EventListener): void;
  health(): TransportHealth;
  /** Stops listening and lets go of every connection. */
  close(): Promise<void>;
}
