import { BrokerUnavailable } from '../../core/control/command.ts';
import type { Clock } from '../../lib/clock.ts';
import type { RedisUrl } from '../url.ts';
import { describeProblem } from './problems.ts';
import { PlainProblem } from '../plain-problem.ts';
import { RedisReplyError } from './resp-reader.ts';
import { findMaster } from './sentinel.ts';
import type { SentinelOptions } from './sentinel.ts';
import { attemptOf, connect, lenient, refuseReplica, withDeadline } from './session.ts';
import type { ConnectDeps, RedisTarget } from './session.ts';
import type { RedisSocket } from './socket.ts';

export interface RedisCommandsDeps {
  readonly urls: readonly RedisUrl[];
  readonly sentinel?: SentinelOptions;
  readonly clock: Clock;
  /** Where in the list of URLs to begin: the server that events come from at the moment. */
  readonly startAt: () => number;
  /** Longest time for one round of commands, connecting included. Default 2000. */
  readonly timeoutMs?: number;
}

/** An open connection and the server it goes to. */
export interface CommandConnection {
  readonly socket: RedisSocket;
  readonly target: RedisTarget;
}

/** Redis has changed its role or is not ready: nothing was done, another connection may help. */
const ELSEWHERE = new Set(['READONLY', 'LOADING', 'MASTERDOWN', 'CLUSTERDOWN']);

/**
 * One connection for commands, opened by the first of them and opened again when it was lost. It speaks by the same
 * sockets as the listening to events, so that every form of URL (TLS, ACL, unix socket, sentinels, lists to fail over)
 * means the same in both.
 */
export class RedisCommands {
  readonly #deps: RedisCommandsDeps;
  readonly #closing = new AbortController();
  #urlIndex: number | undefined;
  #opening: Promise<CommandConnection> | undefined;
  #target: RedisTarget | undefined;

  constructor(deps: RedisCommandsDeps) {
    this.#deps = deps;
  }

  /**
   * Runs a few commands. Never repeats what Redis may have done already.
   * @throws BrokerUnavailable after `timeoutMs` at the latest
   */
  async run<T>(work: (connection: CommandConnection) => Promise<T>): Promise<T> {
    return this.#guarded(async (isLate) => {
      try {
        return await this.#attempt(work, isLate);
      } catch (error) {
        if (!isElsewhere(error)) throw error;
        return this.#attempt(work, isLate);
      }
    });
  }

  /**
   * A further connection, to the server that commands go to; the caller destroys it.
   * @throws BrokerUnavailable
   */
  async openFurther(): Promise<CommandConnection> {
    return this.#guarded(async (isLate) => {
      const { target } = await this.#connection();
      const connection = await this.#connectTo(target);
      if (isLate()) connection.socket.destroy();
      return connection;
    });
  }

  get isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** Ends every connection. */
  close(): void {
    this.#closing.abort();
  }

  async #attempt<T>(work: (connection: CommandConnection) => Promise<T>, isLate: () => boolean): Promise<T> {
    const connection = await this.#connection();
    if (isLate()) throw new Error('no answer in time');
    try {
      return await work(connection);
    } catch (error) {
      if (isElsewhere(error)) {
        connection.socket.destroy();
        this.#opening = undefined;
      }
      throw error;
    }
  }

  async #guarded<T>(work: (isLate: () => boolean) => Promise<T>): Promise<T> {
    let late = false;
    let cancel: () => void = () => undefined;
    const deadline = new Promise<never>((_, reject) => {
      cancel = this.#deps.clock.after(this.#timeoutMs, () => {
        late = true;
        this.#drop();
        reject(Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' }));
      });
    });
    try {
      return await Promise.race([work(() => late), deadline]);
    } catch (error) {
      if (error instanceof BrokerUnavailable) throw error;
      throw new BrokerUnavailable(describeProblem(error, attemptOf(this.#targetForMessages())), { cause: error });
    } finally {
      cancel();
    }
  }

  get #timeoutMs(): number {
    return this.#deps.timeoutMs ?? 2000;
  }

  get #connectDeps(): ConnectDeps {
    return { clock: this.#deps.clock, connectTimeoutMs: this.#timeoutMs, signal: this.#closing.signal };
  }

  #targetForMessages(): RedisTarget {
    return this.#target ?? this.#url();
  }

  #url(): RedisUrl {
    const { urls, startAt } = this.#deps;
    this.#urlIndex ??= startAt();
    const url = urls[this.#urlIndex % urls.length];
    if (url === undefined) throw new PlainProblem('There is no broker URL.');
    return url;
  }

  async #connection(): Promise<CommandConnection> {
    if (this.isClosed) throw new BrokerUnavailable('the agent is stopping');
    const opening = (this.#opening ??= this.#open());
    try {
      return await opening;
    } catch (error) {
      if (this.#opening === opening) this.#opening = undefined;
      throw error;
    }
  }

  /** Tries each URL of the list once, beginning with the one that worked last. */
  async #open(): Promise<CommandConnection> {
    const { urls, sentinel } = this.#deps;
    const rounds = sentinel === undefined ? urls.length : 1;
    for (let round = 1; ; round++) {
      this.#target = this.#url();
      try {
        const target = sentinel === undefined ? this.#target : await findMaster(urls, sentinel, this.#connectDeps);
        this.#target = target;
        const connection = await this.#connectTo(target);
        const opening = this.#opening;
        void connection.socket.ended.then(() => {
          if (this.#opening === opening) this.#opening = undefined;
        });
        return connection;
      } catch (error) {
        this.#urlIndex = (this.#urlIndex ?? 0) + 1;
        if (round >= rounds) throw error;
      }
    }
  }

  async #connectTo(target: RedisTarget): Promise<CommandConnection> {
    const socket = await connect(target, this.#connectDeps);
    await withDeadline(socket, this.#connectDeps, async () => {
      await lenient(socket.command('CLIENT', 'SETNAME', 'umbel-commands'), ['NOPERM', 'ERR']);
      if (target.db !== 0) await socket.command('SELECT', String(target.db)); // else an ACL may forbid it
      if (this.#deps.sentinel !== undefined) await refuseReplica(socket, target);
    });
    return { socket, target };
  }

  /** A server that does not answer is left: the next command tries the next URL of the list. */
  #drop(): void {
    const opening = this.#opening;
    this.#opening = undefined;
    this.#urlIndex = (this.#urlIndex ?? 0) + 1;
    opening?.then(
      ({ socket }) => socket.destroy(),
      () => undefined,
    );
  }
}

function isElsewhere(error: unknown): boolean {
  return error instanceof RedisReplyError && ELSEWHERE.has(error.code);
}
