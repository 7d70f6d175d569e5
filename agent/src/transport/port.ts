import type { ControlRequest, WorkerAnswer } from '../core/control/command.ts';
import type { QueueDepth } from '../core/control/service.ts';
import type { Delivery, RawMessage } from '../core/wire/message.ts';
import type { TaskMessage } from '../core/wire/task-message.ts';

/** Where the connection to the broker stands; `problem` says in one sentence what is wrong and what to do. */
export interface TransportHealth {
  readonly connected: boolean;
  /** Epoch ms of the last change of `connected`. */
  readonly sinceMs: number;
  readonly reconnects: number;
  /**
   * What was published before this instant, epoch ms, has been handed in, or is part of a gap that was told. Where the
   * broker forgets what nobody hears (Redis): when an agent is behind, it is earlier than what it reads.
   */
  readonly heardUpToMs?: number;
  readonly problem?: string;
  /** While connected but silent: what may keep the events away, and what to change. */
  readonly hint?: string;
  /**
   * The broker kept the events of while no agent ran (RabbitMQ): that time is no gap beyond what `onGap` tells. False
   * where it would have, but knew nothing of the agent yet.
   */
  readonly keepsEvents?: boolean;
  /**
   * Only where the broker gives the events to one agent at a time (RabbitMQ): whether this connection was given any. Once
   * it was, it is given all of them until it ends.
   */
  readonly receives?: boolean;
}

/** A time in which events could not be heard: one row of `umbel_gaps`. */
export interface ListeningGap {
  readonly fromMs: number;
  readonly toMs: number;
  /** e.g. `connection lost: ECONNRESET`, `redis closed the connection: output buffer limit`. */
  readonly cause: string;
}

export interface EventListener {
  /**
   * Called for each message, or run of messages, in order of arrival; the bytes are good until it returns. Never throws,
   * never blocks.
   */
  onMessage(message: RawMessage): void;
  /** Where agents take turns (RabbitMQ): called before the first message after another agent may have had the turn. */
  onTurn?(): void;
  /** Called once listening works again after it did not. */
  onGap(gap: ListeningGap): void;
}

/** A command under way. */
export interface ControlCall {
  /** Subscribers that took the request, where the broker tells (Redis). */
  readonly receivers?: number;
  /** Stops listening for replies and removes what was set up for them. */
  close(): Promise<void>;
}

/** Celery's remote control (kombu/pidbox.py). Every method rejects with BrokerUnavailable while there is no connection. */
export interface ControlChannel {
  /** Sends without asking for replies. */
  cast(request: ControlRequest): Promise<{ readonly receivers?: number }>;
  /** Sends and hands in each reply until closed. The reply is as the worker wrote it; `{"error": …}` is `ok: false`. */
  call(request: ControlRequest, onAnswer: (answer: WorkerAnswer) => void): Promise<ControlCall>;
}

export interface Whereabouts {
  /** By task id, those that were found. */
  readonly found: ReadonlyMap<string, 'waiting' | 'unacked'>;
  /** All was looked at: what was not found is not there. */
  readonly isWhole: boolean;
  /** Where nobody can look into a queue (RabbitMQ): how long each one is. */
  readonly depths?: readonly QueueDepth[];
  /** How long the broker may hold the message of a worker that died until it delivers it again, ms. */
  readonly redeliveryMs: number;
}

/** The task queues, written and measured, never consumed. Every method rejects with BrokerUnavailable while there is no connection. */
export interface TaskQueues {
  /** Resolves once the broker has the message. @throws ControlRefused `unknown-queue` where the broker knows no such queue. */
  publish(message: TaskMessage, queue: string): Promise<void>;
  /**
   * Tells every listener of events of a task that was published, as Celery's publishers do with `task_send_sent_event`:
   * one `task-sent` event, as its JSON has it, to the event exchange. May reject with any error; nothing is repeated.
   */
  announce(event: Readonly<Record<string, unknown>>): Promise<void>;
  /** In the order asked. */
  depths(names: readonly string[]): Promise<readonly QueueDepth[]>;
  /** Names the broker itself knows of (Redis: the bindings; RabbitMQ: the management API); may be incomplete. */
  names(): Promise<readonly string[]>;
  /**
   * Where the messages of these tasks are: in one of the queues, or with a worker that has not acknowledged them. Nothing
   * is taken from anywhere; a broker with too much in it is not looked through to the end.
   */
  locate(taskIds: ReadonlySet<string>, queues: readonly string[]): Promise<Whereabouts>;
  /**
   * Hands in messages as they lie in these queues, the newest of each first, and then those that workers have and did not
   * acknowledge, until one is answered with false; `routingKey` is the queue's name, of the latter the key they were sent
   * with. Nothing is taken from anywhere; a broker with too much in it is not looked through to the end, and where nobody
   * can look into a queue (RabbitMQ) there are none.
   */
  eachMessage(queues: readonly string[], onMessage: (message: RawMessage) => boolean): Promise<void>;
  /** The message of a waiting or prefetched task as it lies in the broker; undefined where it is not found, or cannot be looked for. */
  findMessage(taskId: string, queues: readonly string[]): Promise<RawMessage | undefined>;
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
  /**
   * These messages are stored, or will never be: the broker may forget them. Only of RabbitMQ; elsewhere nothing
   * happens. Messages of an earlier connection are passed over: the broker delivers them again.
   */
  settle(deliveries: readonly Delivery[]): void;
  readonly control: ControlChannel;
  readonly tasks: TaskQueues;
  health(): TransportHealth;
  /** Stops listening and lets go of every connection. */
  close(): Promise<void>;
}
