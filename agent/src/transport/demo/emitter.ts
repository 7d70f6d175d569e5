import type { RawMessage } from '../../core/wire/message.ts';
import type { Random } from './random.ts';
import { kombuMessage } from './wire.ts';
import type { EventFields } from './wire.ts';

/** A process that sends events: a worker, one of its children, or a publisher. */
export interface Sender {
  readonly hostname: string;
  pid: number;
  /** Lamport clock of the process. */
  clock: number;
  /** Sends no task events: `disable_events`. */
  isMuted?: boolean;
}

/** celery/events/dispatcher.py `buffer_limit`: a batch is sent when it has so many events. */
const BATCH_EVENTS = 24;

/** Turns events into Celery's messages: task events of a worker are batched, everything else goes alone. */
export class Emitter {
  readonly #random: Random;
  readonly #batches = new Map<Sender, EventFields[]>();
  #messages: { routingKey: string; hostname: string; body: EventFields | readonly EventFields[] }[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  send(sender: Sender, type: string, fields: EventFields, atMs: number): void {
    const body = eventOf(sender, type, fields, atMs);
    this.#messages.push({ routingKey: type.replaceAll('-', '.'), hostname: sender.hostname, body });
  }

  batch(worker: Sender, type: string, fields: EventFields, atMs: number): void {
    if (worker.isMuted === true) return;
    const batch = this.#batches.get(worker) ?? [];
    batch.push(eventOf(worker, type, fields, atMs));
    this.#batches.set(worker, batch);
    if (batch.length >= BATCH_EVENTS) this.flush(worker);
  }

  /** Sends what a worker has gathered, as its event loop does between two rounds. */
  flush(worker: Sender): void {
    const batch = this.#batches.get(worker);
    if (batch === undefined) return;
    this.#batches.delete(worker);
    this.#messages.push({ routingKey: 'task.multi', hostname: worker.hostname, body: batch });
  }

  /** All messages since the last call, as received at `receivedMs`. */
  take(receivedMs: number): RawMessage[] {
    for (const worker of [...this.#batches.keys()]) this.flush(worker);
    const messages = this.#messages;
    this.#messages = [];
    return messages.map(({ routingKey, hostname, body }) =>
      kombuMessage(routingKey, hostname, body, this.#random.uuid(), receivedMs),
    );
  }
}

function eventOf(sender: Sender, type: string, fields: EventFields, atMs: number): EventFields {
  sender.clock += 1;
  const { hostname, pid, clock } = sender;
  return { hostname, utcoffset: 0, pid, clock, ...fields, timestamp: atMs / 1000, type };
}
