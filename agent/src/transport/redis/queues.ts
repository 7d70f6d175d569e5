import { randomUUID } from 'node:crypto';
import type { QueueDepth } from '../../core/control/service.ts';
import type { RawMessage } from '../../core/wire/message.ts';
import { taskEnvelope } from '../../core/wire/task-message.ts';
import type { TaskMessage } from '../../core/wire/task-message.ts';
import type { Clock } from '../../lib/clock.ts';
import type { TaskQueues, Whereabouts } from '../port.ts';
import { escapeGlob } from '../../lib/escape-glob.ts';
import type { RedisCommands } from './commands.ts';
import { HeadWatch } from './heads.ts';
import type { RedisKeys } from './keys.ts';
import { lenient } from './session.ts';
import type { RedisSocket } from './socket.ts';
import { envelopeOfTask, readUnacked, scanUnacked, taskIdIn } from './unacked.ts';
import type { UnackedMessage } from './unacked.ts';

export interface RedisQueuesDeps {
  readonly commands: RedisCommands;
  readonly keys: RedisKeys;
  readonly clock: Clock;
}

/** Celery's `task_default_exchange`, to which queues without an exchange of their own are bound. */
const DEFAULT_EXCHANGE = 'celery';
/** Routing key of `task-sent` events. */
const SENT = 'task.sent';
/** Messages fetched at a time, and in all, when one is looked for. */
const CHUNK = 100;
const MAX_SEARCHED = 20_000;
const MAX_SEARCHED_BYTES = 64 << 20;
/** The most unacknowledged messages that are read to be counted by queue. */
const MAX_UNACKED_COUNTED = 1000;
const MAX_UNACKED_BYTES = 4 << 20;
/** kombu's default `visibility_timeout`. */
const VISIBILITY_TIMEOUT_MS = 3_600_000;
/** Rounds of SCAN through the key space in search of bindings. */
const MAX_SCANS = 20;

/** Task queues on Redis: lists of envelopes (celery-wire 5.3). Nothing is ever popped. */
export class RedisQueues implements TaskQueues {
  readonly #deps: RedisQueuesDeps;
  readonly #heads = new HeadWatch();

  constructor(deps: RedisQueuesDeps) {
    this.#deps = deps;
  }

  /** Redis knows no queues, only lists: any name is taken, and a list comes into being with its first message. */
  async publish(message: TaskMessage, queue: string): Promise<void> {
    const { commands, keys } = this.#deps;
    const envelope = taskEnvelope(message, { queue, deliveryTag: randomUUID() });
    await commands.run(({ socket }) => socket.command('LPUSH', keys.listFor(queue, message.priority), envelope));
  }

  async announce(event: Readonly<Record<string, unknown>>): Promise<void> {
    const { commands, keys } = this.#deps;
    const envelope = JSON.stringify({
      body: Buffer.from(JSON.stringify(event)).toString('base64'),
      'content-encoding': 'utf-8',
      'content-type': 'application/json',
      headers: { hostname: event['hostname'] },
      properties: {
        delivery_mode: 1,
        delivery_info: { exchange: keys.eventExchange, routing_key: SENT },
        priority: 0,
        body_encoding: 'base64',
        delivery_tag: randomUUID(),
      },
    });
    await commands.run(({ socket, target }) => socket.command('PUBLISH', keys.events(target.db, SENT), envelope));
  }

  async depths(names: readonly string[]): Promise<readonly QueueDepth[]> {
    const { commands } = this.#deps;
    const waiting = await commands.run(({ socket }) => Promise.all(names.map((name) => this.#waiting(socket, name))));
    const unacked = await this.#unackedByQueue();
    return names.map((name, index) => ({
      name,
      messages: 0,
      ...waiting[index],
      ...(unacked !== undefined && { unacked: unacked.get(name) ?? 0 }),
    }));
  }

  async #waiting(socket: RedisSocket, queue: string): Promise<Omit<QueueDepth, 'name'>> {
    const lists = this.#deps.keys.lists(queue);
    const lengths = await Promise.all(lists.map((list) => socket.command('LLEN', list)));
    const messages = lengths.reduce<number>((sum, length) => sum + (typeof length === 'number' ? length : 0), 0);
    const filled = lists.filter((_, index) => lengths[index] !== 0);
    // Workers take from the end.
    const last = await Promise.all(filled.map((list) => lenient(socket.command('LINDEX', list, '-1'), ['NOPERM'])));
    const heads = last.filter((head) => typeof head === 'string');
    const oldestMs = this.#heads.seen(queue, heads, this.#deps.clock.now());
    const nextIds = heads.flatMap((head) => taskIdIn(head) ?? []);
    return { messages, ...(nextIds.length > 0 && { nextIds }), ...(oldestMs !== undefined && { oldestMs }) };
  }

  async names(): Promise<readonly string[]> {
    const exchanges = await this.#exchanges();
    const bindings = await Promise.all(exchanges.map((exchange) => this.#bindings(exchange)));
    return [...new Set(bindings.flatMap((members) => members.map(({ queue }) => queue)))].sort();
  }

  async findMessage(taskId: string, queues: readonly string[]): Promise<RawMessage | undefined> {
    const budget = { messages: MAX_SEARCHED, bytes: MAX_SEARCHED_BYTES };
    for (const queue of queues) {
      for (const list of this.#deps.keys.lists(queue)) {
        const envelope = await this.#findInList(list, taskId, budget);
        if (envelope !== undefined) return this.#raw(queue, envelope);
      }
    }
    let found: UnackedMessage | undefined;
    await scanUnacked(this.#deps, budget, (text) => {
      if (text.includes(taskId)) found = readUnacked(text, taskId);
      return found === undefined;
    });
    return found === undefined ? undefined : this.#raw(found.routingKey, found.envelope);
  }

  async locate(taskIds: ReadonlySet<string>, queues: readonly string[]): Promise<Whereabouts> {
    const found = new Map<string, 'waiting' | 'unacked'>();
    const note = (text: string, where: 'waiting' | 'unacked'): void => {
      const id = taskIdIn(text);
      if (id !== undefined && taskIds.has(id)) found.set(id, where);
    };
    const budget = { messages: MAX_SEARCHED, bytes: MAX_SEARCHED_BYTES };
    let isWhole = true;
    // Lists first: a worker that takes a message meanwhile puts it into the hash that is looked at next.
    for (const list of queues.flatMap((queue) => this.#deps.keys.lists(queue))) {
      isWhole &&= await this.#readList(list, budget, (text) => note(text, 'waiting'));
    }
    const isRead = await scanUnacked(this.#deps, budget, (text) => {
      note(text, 'unacked');
      return true;
    });
    return { found, isWhole: isWhole && isRead, redeliveryMs: VISIBILITY_TIMEOUT_MS };
  }

  async eachMessage(queues: readonly string[], onMessage: (message: RawMessage) => boolean): Promise<void> {
    const budget = { messages: MAX_SEARCHED, bytes: MAX_SEARCHED_BYTES };
    const asked = { goesOn: true };
    const note = (queue: string) => (text: string) => (asked.goesOn = onMessage(this.#raw(queue, text)));
    for (const queue of queues) {
      for (const list of this.#deps.keys.lists(queue)) {
        await this.#readList(list, budget, note(queue));
        if (!asked.goesOn) return;
      }
    }
    await scanUnacked(this.#deps, budget, (text) => {
      const message = readUnacked(text);
      return message === undefined || onMessage(this.#raw(message.routingKey, message.envelope));
    });
  }

  #raw(queue: string, envelope: string): RawMessage {
    return { receivedMs: this.#deps.clock.now(), routingKey: queue, payload: Buffer.from(envelope) };
  }

  /** From the head, where the newest lie: workers take from the tail, so what is looked for is not passed by. */
  async #findInList(list: string, taskId: string, budget: SearchBudget): Promise<string | undefined> {
    let found: string | undefined;
    await this.#readList(list, budget, (text) => {
      if (text.includes(taskId) && envelopeOfTask(text, taskId)) found ??= text;
      return found === undefined;
    });
    return found;
  }

  /** Hands in the texts of a list until one is answered with false; resolves to false where the budget did not suffice. */
  async #readList(list: string, budget: SearchBudget, onText: (text: string) => unknown): Promise<boolean> {
    for (let start = 0; budget.messages > 0 && budget.bytes > 0; start += CHUNK) {
      const [from, to] = [String(start), String(start + CHUNK - 1)];
      const chunk = await this.#deps.commands.run(({ socket }) => socket.command('LRANGE', list, from, to));
      const texts = Array.isArray(chunk) ? chunk.filter((item) => typeof item === 'string') : [];
      if (!texts.every((text) => onText(text) !== false)) return true;
      budget.messages -= texts.length;
      budget.bytes -= texts.reduce((sum, text) => sum + text.length, 0);
      if (texts.length < CHUNK) return true;
    }
    return false;
  }

  /** Undefined where there are too many to be read. */
  async #unackedByQueue(): Promise<ReadonlyMap<string, number> | undefined> {
    const { commands, keys } = this.#deps;
    const length = await commands.run(({ socket }) => lenient(socket.command('HLEN', keys.unacked), ['NOPERM']));
    if (typeof length !== 'number' || length > MAX_UNACKED_COUNTED) return undefined;
    const counts = new Map<string, number>();
    if (length === 0) return counts;
    const routed = new Map<string, number>();
    const budget = { messages: MAX_UNACKED_COUNTED * 2, bytes: MAX_UNACKED_BYTES };
    const isWhole = await scanUnacked(this.#deps, budget, (text) => {
      const message = readUnacked(text);
      if (message === undefined) return true;
      const key = JSON.stringify([message.exchange, message.routingKey]);
      routed.set(key, (routed.get(key) ?? 0) + 1);
      return true;
    });
    if (!isWhole) return undefined;
    for (const [key, count] of routed) {
      const [exchange = '', routingKey = ''] = JSON.parse(key) as string[];
      const queue = exchange === '' ? routingKey : await this.#queueBehind(exchange, routingKey);
      counts.set(queue, (counts.get(queue) ?? 0) + count);
    }
    return counts;
  }

  async #queueBehind(exchange: string, routingKey: string): Promise<string> {
    const bindings = await this.#bindings(exchange);
    return bindings.find((binding) => binding.routingKey === routingKey)?.queue ?? routingKey;
  }

  async #bindings(exchange: string): Promise<{ readonly routingKey: string; readonly queue: string }[]> {
    const { commands, keys } = this.#deps;
    const members = await commands.run(({ socket }) => socket.command('SMEMBERS', keys.bindings(exchange)));
    if (!Array.isArray(members)) return [];
    return members.flatMap((member) => (typeof member === 'string' ? (keys.readBinding(member) ?? []) : []));
  }

  /**
   * Exchanges that carry tasks. A queue that Celery made up has an exchange of its own name, so the names are looked
   * for in the key space, but no longer than a few thousand keys.
   */
  async #exchanges(): Promise<string[]> {
    const { commands, keys } = this.#deps;
    const prefix = keys.bindings('');
    const found = new Set([DEFAULT_EXCHANGE]);
    let cursor = '0';
    for (let round = 0; round < MAX_SCANS; round++) {
      const reply = await commands.run(({ socket }) =>
        lenient(socket.command('SCAN', cursor, 'MATCH', `${escapeGlob(prefix)}*`, 'COUNT', '1000'), ['NOPERM']),
      );
      if (!Array.isArray(reply) || !Array.isArray(reply[1])) break;
      for (const key of reply[1]) if (typeof key === 'string') found.add(key.slice(prefix.length));
      cursor = String(reply[0]);
      if (cursor === '0') break;
    }
    return [...found].filter((exchange) => !exchange.endsWith('.pidbox') && exchange !== keys.eventExchange);
  }
}

interface SearchBudget {
  messages: number;
  bytes: number;
}
