import type { ChannelOptions } from './channels.ts';

/** How the cluster names its keys; every worker of a cluster agrees on these (celery-wire 4.1, 5.3). */
export interface KeyOptions extends ChannelOptions {
  /** Celery's `control_exchange`. Default: `celery`. */
  readonly controlExchange?: string;
  /** Transport option `priority_steps`, ascending. Default: 0, 3, 6, 9. */
  readonly prioritySteps?: readonly number[];
  /** Transport option `sep`. Default: the two bytes 6 and 22. */
  readonly sep?: string;
  /** Transport option `unacked_key`. Default: `unacked`. */
  readonly unackedKey?: string;
}

export const DEFAULT_CONTROL_EXCHANGE = 'celery';
const DEFAULT_STEPS = [0, 3, 6, 9];
const DEFAULT_SEP = '\u0006\u0016';
/** kombu bounds priorities so, whatever the steps (kombu/transport/virtual/base.py). */
const MAX_PRIORITY = 9;

/** The names of kombu's keys on Redis (kombu/transport/redis.py), `global_keyprefix` included. */
export class RedisKeys {
  readonly #options: KeyOptions;

  constructor(options: KeyOptions) {
    this.#options = options;
  }

  /** Channel on which a fanout exchange publishes; pidbox has no routing key, so `fanout_patterns` does not matter. */
  fanout(exchange: string, db: number | string): string {
    const { keyPrefix = '', fanoutPrefix = true } = this.#options;
    const template = fanoutPrefix === true ? '/{db}.' : fanoutPrefix === false ? '' : fanoutPrefix;
    return keyPrefix + template.replaceAll('{db}', String(db)) + exchange;
  }

  /** Channel on which an event is published (kombu/transport/redis.py `_get_publish_topic`). */
  events(db: number | string, routingKey: string): string {
    const channel = this.fanout(this.eventExchange, db);
    return this.#options.fanoutPatterns === false ? channel : `${channel}/${routingKey}`;
  }

  /** Set of `bindingMember`s of a direct or topic exchange. */
  bindings(exchange: string): string {
    return this.#prefixed(`_kombu.binding.${exchange}`);
  }

  bindingMember(routingKey: string, queue: string): string {
    return [routingKey, '', queue].join(this.#sep);
  }

  /** Reverses `bindingMember`; undefined where the set holds something else. */
  readBinding(member: string): { readonly routingKey: string; readonly queue: string } | undefined {
    const [routingKey, , queue, ...rest] = member.split(this.#sep);
    if (routingKey === undefined || queue === undefined || queue === '' || rest.length > 0) return undefined;
    return { routingKey, queue };
  }

  /** Sorted set of exchanges by the instant (epoch ms) at which kombu 5.7 deletes their bindings. */
  get bindingDeadlines(): string {
    return this.#prefixed('_kombu.binding_deadlines');
  }

  get eventExchange(): string {
    return this.#options.eventExchange ?? 'celeryev';
  }

  get unacked(): string {
    return this.#prefixed(this.#options.unackedKey ?? 'unacked');
  }

  list(name: string): string {
    return this.#prefixed(name);
  }

  /** All lists of a queue, the one that workers empty first in front. */
  lists(queue: string): string[] {
    return this.#steps.map((step) => this.#stepList(queue, step));
  }

  /** The list into which a message of this priority goes. 0 is the most urgent. */
  listFor(queue: string, priority: number | undefined): string {
    const bounded = Math.min(Math.max(priority ?? 0, 0), MAX_PRIORITY);
    const index = this.#steps.findLastIndex((step) => step <= bounded);
    // kombu indexes with -1 below the first step, which is Python's last.
    return this.#stepList(queue, this.#steps.at(index) ?? 0);
  }

  get #steps(): readonly number[] {
    const { prioritySteps = DEFAULT_STEPS } = this.#options;
    return prioritySteps.length === 0 ? DEFAULT_STEPS : prioritySteps;
  }

  get #sep(): string {
    return this.#options.sep ?? DEFAULT_SEP;
  }

  #stepList(queue: string, step: number): string {
    return this.#prefixed(step === 0 ? queue : `${queue}${this.#sep}${step}`);
  }

  #prefixed(name: string): string {
    return (this.#options.keyPrefix ?? '') + name;
  }
}
