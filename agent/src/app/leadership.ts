import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import { SessionLocks } from '../sinks/history/session-locks.ts';

/** How often an agent that stands by asks for the lock: the time without a leader after one died. */
const STANDBY_MS = 1000;
const LEADING_MS = 2000;
/** After a lost connection whoever led before has the first try: a restart of Postgres need not change the leader. */
const COURTESY_MS = 3000;

const LEADER = 'leader';

export interface Leadership {
  /**
   * This agent does what one alone is to do: retention, healing, probing. False while that is not certain, so that of
   * several agents at most one says true, but for the seconds in which a frozen one does not know yet.
   */
  leads(): boolean;
  /** Resolves once it is known for the first time whether this agent leads, or that the database cannot be asked. */
  readonly firstTry: Promise<void>;
  /** Calls the listener whenever `leads` changes; the returned function takes it off. */
  onChange(listener: (leads: boolean) => void): () => void;
  /** Lets another agent lead, at once. */
  close(): Promise<void>;
}

export interface LeadershipDeps {
  readonly databaseUrl: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Of all agents on one database one leads: the one whose connection holds a session advisory lock.
 *
 *     standing by ──lock is free──► leads ──connection or lock lost──► standing by
 */
export function startLeadership(deps: LeadershipDeps): Leadership {
  return new Contest(deps);
}

class Contest implements Leadership {
  readonly #deps: LeadershipDeps;
  readonly #listeners = new Set<(leads: boolean) => void>();
  #locks: SessionLocks | undefined;
  #leads = false;
  #hasLed: boolean | undefined;
  #problem: string | undefined;
  #isClosed = false;
  #cancel: () => void = () => undefined;
  #round: Promise<void>;
  readonly firstTry: Promise<void>;

  constructor(deps: LeadershipDeps) {
    this.#deps = deps;
    this.#round = this.#ask();
    this.firstTry = this.#round;
  }

  leads(): boolean {
    return this.#leads && this.#locks?.holds(LEADER) === true;
  }

  onChange(listener: (leads: boolean) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancel();
    await this.#round;
    await this.#locks?.close();
    this.#became(false);
  }

  async #ask(): Promise<void> {
    const pauseMs = await this.#look();
    if (this.#isClosed) return;
    this.#cancel = this.#deps.clock.after(pauseMs, () => {
      this.#round = this.#ask();
    });
  }

  /** One look at the lock; resolves with the pause until the next one, ms. Never rejects. */
  async #look(): Promise<number> {
    try {
      if (this.#locks === undefined || this.#locks.isOver) {
        this.#became(false);
        const isFirst = this.#locks === undefined;
        this.#locks = await SessionLocks.open(this.#deps.databaseUrl);
        if (!isFirst && this.#hasLed === false) return COURTESY_MS;
      }
      if (this.#locks.holds(LEADER)) await this.#locks.confirm();
      const leads = await this.#locks.take(LEADER);
      this.#became(leads);
      this.#hasLed = leads;
      this.#problem = undefined;
      return leads ? LEADING_MS : STANDBY_MS;
    } catch (error) {
      this.#became(false);
      this.#tell(error);
      return STANDBY_MS;
    }
  }

  #tell(error: unknown): void {
    const problem = error instanceof Error ? error.message : String(error);
    if (problem !== this.#problem) this.#deps.logger.warn({ reason: problem }, 'it is not known which agent leads');
    this.#problem = problem;
  }

  #became(leads: boolean): void {
    if (leads === this.#leads) return;
    this.#leads = leads;
    this.#deps.logger.info(
      leads ? 'this agent leads: retention, healing and probing are its part' : 'this agent does not lead any more',
    );
    for (const listener of this.#listeners) listener(leads);
  }
}
