import { randomUUID } from 'node:crypto';
import type { ControlRequest, WorkerAnswer } from '../../core/control/command.ts';
import { controlEnvelope, controlNames, encodeControl, replyQueue } from '../../core/wire/pidbox.ts';
import type { ControlNames, EncodedControl } from '../../core/wire/pidbox.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { ControlCall, ControlChannel } from '../port.ts';
import type { CommandConnection, RedisCommands } from './commands.ts';
import { DEFAULT_CONTROL_EXCHANGE } from './keys.ts';
import type { RedisKeys } from './keys.ts';
import { ReplyInbox } from './replies.ts';
import { lenient } from './session.ts';

export interface RedisControlDeps {
  readonly commands: RedisCommands;
  readonly keys: RedisKeys;
  readonly controlExchange?: string;
  /** Behind sentinels kombu before 5.4 never replaced `{db}` in the channel's name: it is published there too. */
  readonly alsoLiteralDb: boolean;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Replies that nobody fetched any more, e.g. after a crash, go away after this time. */
const REPLY_TTL_MS = 300_000;
/** As kombu's `MIN_BINDING_TTL`. */
const BINDING_TTL_MS = 3_600_000;

/** Celery's remote control over Redis (celery-wire 4.1, kombu/pidbox.py). */
export class RedisControl implements ControlChannel {
  readonly #deps: RedisControlDeps;
  readonly #names: ControlNames;
  #inbox: ReplyInbox | undefined;

  constructor(deps: RedisControlDeps) {
    this.#deps = deps;
    this.#names = controlNames(deps.controlExchange ?? DEFAULT_CONTROL_EXCHANGE);
  }

  async cast(request: ControlRequest): Promise<{ readonly receivers?: number }> {
    const encoded = encodeControl(request, this.#names);
    const receivers = await this.#deps.commands.run((connection) => this.#publish(connection, encoded));
    return { receivers };
  }

  async call(request: ControlRequest, onAnswer: (answer: WorkerAnswer) => void): Promise<ControlCall> {
    const ticket = randomUUID();
    if (this.#inbox === undefined || this.#inbox.isOver)
      this.#inbox = new ReplyInbox({ ...this.#deps, names: this.#names });
    const inbox = this.#inbox;
    const encoded = encodeControl(request, this.#names, { ticket, routingKey: inbox.oid });
    inbox.add(ticket, onAnswer);
    try {
      const receivers = await this.#deps.commands.run(async (connection) => {
        const bound = this.#bind(connection, inbox.oid);
        const published = this.#publish(connection, encoded);
        const [, count] = await Promise.all([bound, published]);
        return count;
      });
      return { receivers, close: () => inbox.remove(ticket) };
    } catch (error) {
      await inbox.remove(ticket);
      throw error;
    }
  }

  /**
   * Makes workers' replies arrive. Done for every command: workers of kombu 5.7 delete a table of bindings that was
   * not renewed for an hour, with all that is in it. `XX`: only where they keep a deadline for it.
   */
  async #bind({ socket }: CommandConnection, oid: string): Promise<void> {
    const { keys, clock } = this.#deps;
    const { replyExchange } = this.#names;
    const queue = replyQueue(oid, this.#names);
    const deadline = String(clock.now() + BINDING_TTL_MS);
    await Promise.all([
      lenient(socket.command('ZADD', keys.bindingDeadlines, 'XX', 'GT', deadline, replyExchange), ['ERR', 'NOPERM']),
      socket.command('SADD', keys.bindings(replyExchange), keys.bindingMember(oid, queue)),
      lenient(socket.command('PEXPIRE', keys.list(queue), String(REPLY_TTL_MS)), ['NOPERM']),
    ]);
  }

  /** Resolves to the number of connections that took it. */
  async #publish({ socket, target }: CommandConnection, encoded: EncodedControl): Promise<number> {
    const { keys, alsoLiteralDb } = this.#deps;
    const envelope = controlEnvelope(encoded, this.#names, randomUUID());
    const { requestExchange } = this.#names;
    const channel = keys.fanout(requestExchange, target.db);
    const literal = keys.fanout(requestExchange, '{db}');
    const published = [socket.command('PUBLISH', channel, envelope)];
    if (alsoLiteralDb && literal !== channel) {
      published.push(lenient(socket.command('PUBLISH', literal, envelope), ['NOPERM']).then((count) => count ?? 0));
    }
    const counts = await Promise.all(published);
    return counts.reduce<number>((sum, count) => sum + (typeof count === 'number' ? count : 0), 0);
  }
}
