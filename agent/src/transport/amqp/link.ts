import { BrokerUnavailable } from '../../core/control/command.ts';
import type { Clock } from '../../lib/clock.ts';
import type { AmqpUrl } from '../url.ts';
import { openConnection } from './connection.ts';
import type { AmqpConnection } from './connection.ts';
import { describeProblem } from './problems.ts';

export interface LinkDeps {
  /** In the order in which they are to be tried. */
  readonly urls: () => readonly AmqpUrl[];
  readonly clock: Clock;
  readonly connectTimeoutMs: number;
  /** The broker takes no messages at the moment, and why; undefined: it does again. */
  readonly onBlocked: (reason: string | undefined) => void;
}

/**
 * The connection for commands and task messages: opened with the first of them, and again after it was lost. Apart from
 * the one that listens, for a broker in need stops reading from whoever publishes.
 */
export class CommandLink {
  readonly #deps: LinkDeps;
  #opening: Promise<AmqpConnection> | undefined;
  #isClosed = false;

  constructor(deps: LinkDeps) {
    this.#deps = deps;
  }

  /** @throws BrokerUnavailable with the reason in a sentence */
  async connection(): Promise<AmqpConnection> {
    const opening = (this.#opening ??= this.#open());
    try {
      const connection = await opening;
      if (!connection.isEnded()) return connection;
    } catch (error) {
      if (this.#opening === opening) this.#opening = undefined;
      throw error;
    }
    if (this.#opening === opening) this.#opening = undefined;
    return this.connection();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const connection = await this.#opening?.catch(() => undefined);
    await connection?.close();
  }

  async #open(): Promise<AmqpConnection> {
    const { clock, connectTimeoutMs, onBlocked } = this.#deps;
    let problem = 'there is no broker URL';
    for (const url of this.#deps.urls()) {
      if (this.#isClosed) throw new BrokerUnavailable('the agent is stopping');
      try {
        const connection = await openConnection(url, { clock, connectTimeoutMs, name: 'umbel-commands' });
        connection.model.on('blocked', (reason) => onBlocked(reason));
        connection.model.on('unblocked', () => onBlocked(undefined));
        void connection.ended.then(() => onBlocked(undefined));
        return connection;
      } catch (error) {
        problem = describeProblem(error, url);
      }
    }
    throw new BrokerUnavailable(problem);
  }
}
