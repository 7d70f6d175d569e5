import { hostOf } from './label-text.ts';
import type { ExporterGroup, FlowerGroup } from './groups.ts';
import type { ProducerLabel } from './options.ts';

/** A node that sends events: a worker, or a publisher. */
export class Sender {
  /** Node name, or the host of publishers that are not told apart. */
  readonly node: string;
  readonly host: string;
  /** Flower's `worker` label. */
  readonly label: string;
  lastSeenMs = 0;
  /** 0 while it sent none: a publisher, or a worker without heartbeats. */
  lastHeartbeatMs = 0;
  online = false;
  /** Of the last heartbeat that told it. */
  active = 0;
  flower: FlowerGroup | undefined = undefined;
  /** Where its task-sent are counted, and where its other events are. */
  sent: ExporterGroup | undefined = undefined;
  worked: ExporterGroup | undefined = undefined;

  constructor(node: string, host: string, label: string) {
    this.node = node;
    this.host = host;
    this.label = label;
  }
}

export interface SenderTimes {
  readonly workerTimeoutMs: number;
  readonly purgeOfflineMs: number;
  readonly producerExpiryMs: number;
}

/** Every node heard of, bounded: those that find no room are one sender `other`. */
export class Senders {
  readonly #byNode = new Map<string, Sender>();
  readonly #producerLabel: ProducerLabel;
  readonly #onNew: (sender: Sender) => void;
  #other: Sender | undefined = undefined;

  constructor(producerLabel: ProducerLabel, onNew: (sender: Sender) => void) {
    this.#producerLabel = producerLabel;
    this.#onNew = onNew;
  }

  /** `isProducer`: it published a task. Publishers of one host are one sender where their label does not tell them apart. */
  of(hostname: string, isProducer: boolean): Sender {
    if (!isProducer || this.#producerLabel === 'exact')
      return this.#byNode.get(hostname) ?? this.#add(hostname, hostname);
    const host = hostOf(hostname);
    return this.#byNode.get(host) ?? this.#add(host, this.#producerLabel === 'host' ? host : 'generic');
  }

  /** Senders whose heartbeats stayed away, and senders that were silent so long that their series go. */
  overdue(nowMs: number, times: SenderTimes): { readonly timedOut: Sender[]; readonly gone: Sender[] } {
    const timedOut: Sender[] = [];
    const gone: Sender[] = [];
    for (const sender of this.#byNode.values()) {
      const isWorker = sender.lastHeartbeatMs > 0;
      const limitMs = isWorker ? times.purgeOfflineMs : times.producerExpiryMs;
      if (limitMs > 0 && nowMs - sender.lastSeenMs > limitMs) gone.push(sender);
      else if (isWorker && times.workerTimeoutMs > 0 && nowMs - sender.lastHeartbeatMs > times.workerTimeoutMs) {
        timedOut.push(sender);
      }
    }
    return { timedOut, gone };
  }

  forget(sender: Sender): void {
    this.#byNode.delete(sender.node);
  }

  #add(node: string, label: string): Sender {
    const isFull = this.#byNode.size >= MAX_SENDERS || node.length > MAX_NODE_LENGTH;
    if (isFull && this.#other !== undefined) return this.#other;
    const sender = isFull ? new Sender('other', 'other', 'other') : new Sender(node, hostOf(node), label);
    if (isFull) this.#other = sender;
    else this.#byNode.set(node, sender);
    this.#onNew(sender);
    return sender;
  }
}

const MAX_SENDERS = 10_000;
const MAX_NODE_LENGTH = 500;
