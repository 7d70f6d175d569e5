import { randomUUID } from 'node:crypto';
import type { WorkerAnswer } from '../../core/control/command.ts';
import { decodeReply, replyQueue } from '../../core/wire/pidbox.ts';
import type { ControlNames } from '../../core/wire/pidbox.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import { backoffMs } from '../backoff.ts';
import type { RedisCommands } from './commands.ts';
import type { RedisKeys } from './keys.ts';
import type { RedisSocket } from './socket.ts';

export interface ReplyInboxDeps {
  readonly commands: RedisCommands;
  readonly keys: RedisKeys;
  readonly names: ControlNames;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Seconds for which Redis holds back an empty answer; whole ones, for Redis before 6. */
const BLOCK_SECONDS = 5;
/** A blocked connection that says nothing for so much longer is dead. */
const GRACE_MS = 3000;

/**
 * The list in which the replies for one process gather, and the connection that waits for them. Several commands share
 * it; with the last of them it goes, and the next one gets a list of its own: what a late worker still sends then
 * finds no binding and is dropped.
 */
export class ReplyInbox {
  readonly oid = randomUUID();
  readonly #deps: ReplyInboxDeps;
  readonly #waiting = new Map<string, (answer: WorkerAnswer) => void>();
  #socket: RedisSocket | undefined;
  #running = false;
  #isOver = false;

  constructor(deps: ReplyInboxDeps) {
    this.#deps = deps;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Hands the replies that carry `ticket` to `onAnswer`, from now on. */
  add(ticket: string, onAnswer: (answer: WorkerAnswer) => void): void {
    this.#waiting.set(ticket, onAnswer);
    if (this.#running) return;
    this.#running = true;
    void this.#receive();
  }

  /** Removes list and binding with the last ticket; what Redis cannot be told now is left to its expiry. */
  async remove(ticket: string): Promise<void> {
    if (!this.#waiting.delete(ticket) || this.#waiting.size > 0) return;
    this.#isOver = true;
    this.#socket?.destroy();
    const { commands, keys, names } = this.#deps;
    const queue = replyQueue(this.oid, names);
    await commands
      .run(({ socket }) =>
        Promise.all([
          socket.command('SREM', keys.bindings(names.replyExchange), keys.bindingMember(this.oid, queue)),
          socket.command('DEL', keys.list(queue)),
        ]),
      )
      .catch(() => undefined);
  }

  async #receive(): Promise<void> {
    for (let failures = 0; !this.#over();) {
      try {
        const { socket } = await this.#deps.commands.openFurther();
        this.#socket = socket;
        if (this.#over()) break;
        for (;;) {
          await this.#receiveOne(socket);
          failures = 0;
        }
      } catch (error) {
        if (this.#over()) break;
        this.#deps.logger.debug({ error: String(error) }, 'the connection for replies is lost');
        await this.#pause(backoffMs(failures));
        failures += 1;
      }
    }
    this.#socket?.destroy();
  }

  /** A method, because the member changes while it is waited. */
  #over(): boolean {
    return this.#isOver || this.#deps.commands.isClosed;
  }

  async #receiveOne(socket: RedisSocket): Promise<void> {
    const { clock, keys, names } = this.#deps;
    const list = keys.list(replyQueue(this.oid, names));
    const cancel = clock.after(BLOCK_SECONDS * 1000 + GRACE_MS, () => socket.destroy(new Error('no sign of life')));
    try {
      const reply = await socket.command('BRPOP', list, String(BLOCK_SECONDS));
      if (!Array.isArray(reply) || typeof reply[1] !== 'string') return;
      this.#onReply(Buffer.from(reply[1]));
    } finally {
      cancel();
    }
  }

  #onReply(payload: Buffer): void {
    const raw = { receivedMs: this.#deps.clock.now(), routingKey: this.oid, payload };
    for (const [ticket, onAnswer] of this.#waiting) {
      const answers = decodeReply(raw, ticket);
      if (answers === undefined) continue;
      for (const answer of answers) onAnswer(answer);
      return;
    }
  }

  async #pause(delayMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#deps.clock.after(delayMs, resolve);
    });
  }
}
