import type { Slice } from '../core/events/slice.ts';
import { MAX_SLICES, slicesOf, sliceText } from '../core/events/slice.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import { LocksNotHeld, SessionLocks } from '../sinks/history/session-locks.ts';

/** How often an agent that stands by asks for the lock: the time without a leader after one died. */
const STANDBY_MS = 1000;
const LEADING_MS = 2000;
/** After a lost connection whoever led before has the first try: a restart of Postgres need not change the leader. */
const COURTESY_MS = 3000;

/** One alone may be a connection that broke. */
const TELLING_FAILURES = 2;

const LEADER = 'leader';
const CONSUMER = 'consumer';

/** Every slice that any agent can have. */
const ALL_SLICES = slicesOf(MAX_SLICES).flatMap(({ index }) => slicesOf(index));

/**
 * How the broker hands out events: to every agent, of which each uses those of its slice (Redis); or to one agent at a
 * time (RabbitMQ's single active consumer), which knows it by what it receives.
 */
export type Hearing =
  { readonly kind: 'all'; readonly slice: Slice } | { readonly kind: 'turns'; readonly isReceiving: () => boolean };

export interface Leadership {
  /**
   * This agent does what one alone is to do: retention and healing. False while that is not certain, so that of
   * several agents at most one says true, but for the seconds in which a frozen one does not know yet.
   */
  leads(): boolean;
  /**
   * Whether this agent asks for and shows what is the same for all agents (workers, queues): the leader does, also while
   * Postgres is away; each agent does as long as no other one is known to lead.
   */
  showsCluster(): boolean;
  /** The same of what was counted in the agent's slice; where the broker hands out turns, the one whose turn it is. */
  showsSlice(): boolean;
  /** The leader alone knows: slices that no agent on the database listens to. */
  missingSlices(): readonly Slice[];
  /** The leader alone knows: slices of agents on the database that part the stream into another number than this one. */
  misfitSlices(): readonly Slice[];
  /** Why Postgres could not be asked, and since when; undefined while it answers, and after a single failure. */
  unreachable(): { readonly sinceMs: number; readonly problem: string } | undefined;
  /** Resolves once it is known for the first time whether this agent leads, or that the database cannot be asked. */
  readonly firstTry: Promise<void>;
  /** Calls the listener with `leads` whenever that or what the agent shows has changed; the returned function takes it off. */
  onChange(listener: (leads: boolean) => void): () => void;
  /** Lets another agent lead, at once. */
  close(): Promise<void>;
}

export interface LeadershipDeps {
  readonly databaseUrl: string;
  readonly hearing: Hearing;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Of all agents on one database one leads: the one whose connection holds a session advisory lock.
 *
 *     standing by ──lock is free──► leads ──connection or lock lost──► standing by
 *
 * Before it asks for that lock it must hold the lock of its slice, or have the turn: so the leader shows its own counts.
 */
export function startLeadership(deps: LeadershipDeps): Leadership {
  return new Contest(deps);
}

class Contest implements Leadership {
  readonly #deps: LeadershipDeps;
  readonly #listeners = new Set<(leads: boolean) => void>();
  #locks: SessionLocks | undefined;
  #leads = false;
  /** As last known; kept while the database is away. */
  #verdict: { readonly leads: boolean; readonly hasSlice: boolean } | undefined;
  #missing: readonly Slice[] = [];
  #misfits: readonly Slice[] = [];
  #problem: string | undefined;
  /** Of the failures to ask Postgres in a row. */
  #failures = 0;
  #failedSinceMs = 0;
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

  showsCluster(): boolean {
    return this.#verdict?.leads ?? true;
  }

  showsSlice(): boolean {
    const { hearing } = this.#deps;
    if (hearing.kind === 'turns') return hearing.isReceiving() || this.showsCluster();
    return this.#verdict?.hasSlice ?? true;
  }

  missingSlices(): readonly Slice[] {
    return this.leads() ? this.#missing : [];
  }

  misfitSlices(): readonly Slice[] {
    return this.leads() ? this.#misfits : [];
  }

  unreachable(): { readonly sinceMs: number; readonly problem: string } | undefined {
    if (this.#failures < TELLING_FAILURES || this.#problem === undefined) return undefined;
    return { sinceMs: this.#failedSinceMs, problem: this.#problem };
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

  /** One look at the locks; resolves with the pause until the next one, ms. Never rejects. */
  async #look(): Promise<number> {
    try {
      let locks = this.#locks;
      if (locks === undefined || locks.isOver) {
        this.#became(false);
        this.#locks = await SessionLocks.open(this.#deps.databaseUrl);
        if (locks !== undefined && this.#verdict?.hasSlice === false) {
          this.#failures = 0;
          return COURTESY_MS;
        }
        locks = this.#locks;
      }
      await locks.confirm();
      const hasSlice = await this.#hasSlice(locks);
      if (!hasSlice) await locks.release(LEADER);
      const leads = hasSlice && (await locks.take(LEADER));
      if (leads) await this.#lookAtSlices(locks);
      this.#became(leads, { leads, hasSlice });
      this.#problem = undefined;
      this.#failures = 0;
      return leads ? LEADING_MS : STANDBY_MS;
    } catch (error) {
      this.#became(false);
      this.#tell(error);
      return STANDBY_MS;
    }
  }

  /** Whoever has the turn holds a lock, so that the others know: RabbitMQ itself tells nobody. */
  async #hasSlice(locks: SessionLocks): Promise<boolean> {
    const { hearing } = this.#deps;
    if (hearing.kind === 'all') return locks.take(sliceLock(hearing.slice));
    if (hearing.isReceiving()) {
      await locks.take(CONSUMER);
      return true;
    }
    const isFree = await locks.take(CONSUMER);
    await locks.release(CONSUMER);
    return isFree;
  }

  async #lookAtSlices(locks: SessionLocks): Promise<void> {
    const { hearing, logger } = this.#deps;
    if (hearing.kind === 'turns') return;
    const { of } = hearing.slice;
    const held = await locks.heldByAnybody(ALL_SLICES.map(sliceLock));
    const missing = slicesOf(of).filter((slice) => !held.has(sliceLock(slice)));
    const misfits = ALL_SLICES.filter((slice) => slice.of !== of && held.has(sliceLock(slice)));
    if (!areSame(missing, this.#missing)) {
      if (missing.length === 0) logger.info('every slice has an agent');
      else
        logger.warn(
          { slices: missing.map(sliceText) },
          'slices without an agent: the events of their tasks are not heard',
        );
    }
    if (!areSame(misfits, this.#misfits)) {
      const own = sliceText(hearing.slice);
      if (misfits.length === 0) logger.info('all agents part the stream into as many slices');
      else
        logger.warn(
          { own, slices: misfits.map(sliceText) },
          'agents part the stream into different numbers of slices: their tasks are counted twice',
        );
    }
    this.#missing = missing;
    this.#misfits = misfits;
  }

  #tell(error: unknown): void {
    if (error instanceof LocksNotHeld) this.#failures = 0;
    else if ((this.#failures += 1) === 1) this.#failedSinceMs = this.#deps.clock.now();
    const problem = error instanceof Error ? error.message : String(error);
    if (problem !== this.#problem) this.#deps.logger.warn({ reason: problem }, 'it is not known which agent leads');
    this.#problem = problem;
  }

  #became(leads: boolean, verdict = this.#verdict): void {
    const before = this.#verdict;
    const isSame = verdict?.leads === before?.leads && verdict?.hasSlice === before?.hasSlice;
    this.#verdict = verdict;
    if (leads === this.#leads && isSame) return;
    if (leads !== this.#leads) {
      this.#deps.logger.info(
        leads ? 'this agent leads the others on its database' : 'this agent does not lead any more',
      );
    }
    this.#leads = leads;
    for (const listener of this.#listeners) listener(leads);
  }
}

function sliceLock(slice: Slice): string {
  return `slice ${sliceText(slice)}`;
}

function areSame(some: readonly Slice[], others: readonly Slice[]): boolean {
  return some.map(sliceText).join() === others.map(sliceText).join();
}
