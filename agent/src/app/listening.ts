import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import { type AgentLog, type LastRun, RUNNING_MS } from '../sinks/history/agent-log.ts';
import type { ListeningGap } from '../transport/port.ts';

const BEAT_MS = 5000;
/** A beat that is so much later than the agent's own last one is another's: what the database rounds is less, ms. */
const ROUNDING_MS = 1;
/** Gaps that wait for the database; more of them are joined into the last. */
export const MAX_WAITING = 1000;

interface Waiting extends ListeningGap {
  /** The gap that lasts, if there is one, ends with it. */
  readonly isEnd: boolean;
}

export interface ListeningLog {
  /** A time in which events could not be kept; stored as soon as the database can be had. */
  recordGap(gap: ListeningGap): void;
  /** The agent has not listened since `sinceMs`; may be told again and again. Stored as a gap without an end. */
  deaf(sinceMs: number, cause: string): void;
  /** The agent listens again, and this is the time in which it did not. */
  endGap(gap: ListeningGap): void;
  /**
   * The agent hears events now: keeps the trace by which the next run knows how long nobody did.
   *
   * @param wereKept the broker kept the events of the time before: nobody heard them then, but nothing is missing
   * @param heardUpToMs what was published before is heard; by default all is
   */
  listening(wereKept: boolean, heardUpToMs?: number): void;
  /** An earlier run of the agent, where there was one: from its end until `listening` it did not. */
  previousRun(last: LastRun | undefined): void;
  /** Another agent runs under the same name, and beat a short while ago. */
  hasNamesake(): boolean;
  /** Gaps that wait for the database, and how many found no room and were joined into the last, since the start. */
  gaps(): { readonly waiting: number; readonly joined: number };
  close(): Promise<void>;
}

export interface ListeningDeps {
  readonly agentName: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly log: () => AgentLog | undefined;
  /** When the oldest event that is not stored yet was received; a killed agent loses those. Undefined: all are. */
  readonly oldestUnstoredMs: () => number | undefined;
}

/** Keeps `umbel_gaps` and the agent's beat in `umbel_agents`. */
export function startListeningLog(deps: ListeningDeps): ListeningLog {
  return new Listening(deps);
}

class Listening implements ListeningLog {
  readonly #deps: ListeningDeps;
  readonly #waiting: Waiting[] = [];
  #joined = 0;
  /** The gap that lasts. */
  #lasting: { readonly fromMs: number; readonly cause: string; isStored: boolean } | undefined;
  #previous: LastRun | undefined;
  /** Of this run, when it first listened. */
  #first: { readonly atMs: number; readonly wereKept: boolean } | undefined;
  /** What was published before is stored. */
  #storedMs: number | undefined;
  /** Once all that was received by `atMs` is stored, so is all that was published before `heardUpToMs`. */
  #reached: { readonly atMs: number; readonly heardUpToMs: number } | undefined;
  #lastHeardMs: number | undefined;
  /** The agent said that it listens, and no beat was stored since. */
  #isBeatDue = false;
  #hasBeat = false;
  /** As the history holds it; undefined where that is not known. */
  #lastBeatMs: number | undefined;
  #namesakeSeenMs = -Infinity;
  #storing: Promise<void> = Promise.resolve();
  readonly #stop: () => void;

  constructor(deps: ListeningDeps) {
    this.#deps = deps;
    this.#stop = deps.clock.every(BEAT_MS, () => this.#storeInTurn());
  }

  hasNamesake(): boolean {
    return this.#deps.clock.now() - this.#namesakeSeenMs < RUNNING_MS;
  }

  gaps(): { readonly waiting: number; readonly joined: number } {
    return { waiting: this.#waiting.length, joined: this.#joined };
  }

  recordGap(gap: ListeningGap): void {
    this.#keep({ ...gap, isEnd: false });
  }

  deaf(sinceMs: number, cause: string): void {
    const previous = this.#previous;
    // Who never listened has nothing to miss.
    if (this.#lasting !== undefined || (previous === undefined && this.#first === undefined)) return;
    this.#lasting = {
      fromMs: previous?.aliveMs ?? sinceMs,
      cause: previous === undefined ? cause : `${causeOf(previous)}; ${cause}`,
      isStored: false,
    };
    this.#storeInTurn();
  }

  endGap(gap: ListeningGap): void {
    this.#lasting = undefined;
    this.#keep({ ...gap, isEnd: true });
  }

  previousRun(last: LastRun | undefined): void {
    this.#previous = last;
    this.#endTimeBetween();
  }

  listening(wereKept: boolean, heardUpToMs?: number): void {
    const nowMs = this.#deps.clock.now();
    this.#advance(nowMs, heardUpToMs ?? nowMs);
    this.#isBeatDue = true;
    this.#first ??= { atMs: nowMs, wereKept };
    this.#lasting = undefined;
    this.#endTimeBetween();
    // As soon as the database can be had: an agent that is killed right after its start is to leave a trace too.
    if (!this.#hasBeat) this.#storeInTurn();
  }

  /** When an event was received tells nothing of when it was published: an agent may be behind. */
  #advance(atMs: number, heardUpToMs: number): void {
    this.#lastHeardMs = heardUpToMs;
    const oldestMs = this.#deps.oldestUnstoredMs();
    if (oldestMs === undefined) {
      this.#storedMs = heardUpToMs;
      this.#reached = undefined;
      return;
    }
    this.#storedMs ??= Math.min(heardUpToMs, oldestMs);
    if (this.#reached !== undefined && this.#reached.atMs >= oldestMs) return;
    this.#storedMs = this.#reached?.heardUpToMs ?? this.#storedMs;
    this.#reached = { atMs, heardUpToMs };
  }

  async close(): Promise<void> {
    const { log, agentName, logger } = this.#deps;
    this.#stop();
    this.#storeInTurn();
    await this.#storing;
    await log()
      ?.stop(agentName, this.#lastHeardMs)
      .catch((error: unknown) => logger.debug({ err: error }, 'the stop could not be noted: the database is away'));
  }

  /** The database may be reached long after the broker: the time between two runs ended when this one first listened. */
  #endTimeBetween(): void {
    const [previous, first] = [this.#previous, this.#first];
    if (previous === undefined || first === undefined) return;
    this.#previous = undefined;
    if (first.wereKept) return;
    this.#keep({ fromMs: previous.aliveMs, toMs: first.atMs, cause: causeOf(previous), isEnd: true });
  }

  #keep(gap: Waiting): void {
    const last = this.#waiting.at(-1);
    if (last !== undefined && this.#waiting.length >= MAX_WAITING) {
      this.#waiting[this.#waiting.length - 1] = { ...gap, fromMs: last.fromMs, isEnd: gap.isEnd || last.isEnd };
      this.#joined += 1;
    } else this.#waiting.push(gap);
    this.#storeInTurn();
  }

  #storeInTurn(): void {
    this.#storing = this.#storing.then(() => this.#store());
  }

  async #store(): Promise<void> {
    const { agentName: agent, logger } = this.#deps;
    const log = this.#deps.log();
    if (log === undefined) return;
    try {
      // Gaps first: up to a beat every gap is known.
      for (let gap = this.#waiting[0]; gap !== undefined; gap = this.#waiting[0]) {
        const { isEnd, ...told } = gap;
        await (isEnd ? log.endGap({ ...told, agent }) : log.recordGap({ ...told, agent }));
        this.#waiting.shift();
      }
      const lasting = this.#lasting;
      if (lasting?.isStored === false) {
        await log.openGap({ ...lasting, agent });
        lasting.isStored = true;
      }
      if (!this.#isBeatDue || this.#storedMs === undefined) return;
      this.#isBeatDue = false;
      await this.#beat(log, this.#storedMs);
      this.#hasBeat = true;
    } catch (error) {
      logger.debug({ err: error }, 'gaps wait: the database is away');
    }
  }

  /** Two agents of one name share one row: the beat before is then not the one that this agent left. */
  async #beat(log: AgentLog, aliveMs: number): Promise<void> {
    const { agentName, logger, clock } = this.#deps;
    const lastMs = this.#lastBeatMs;
    // Where the answer is lost nobody knows what the row holds.
    this.#lastBeatMs = undefined;
    const beforeMs = await log.beat(agentName, aliveMs);
    this.#lastBeatMs = Math.max(aliveMs, beforeMs ?? aliveMs);
    if (lastMs === undefined || beforeMs === undefined || beforeMs <= lastMs + ROUNDING_MS) return;
    if (!this.hasNamesake()) logger.warn(namesakeWarning(agentName));
    this.#namesakeSeenMs = clock.now();
  }
}

/** What is wrong, and what to do. */
export function namesakeWarning(agentName: string): string {
  return (
    `Another agent runs under the name "${agentName}": when one of the two stops or dies, no gap is recorded, and ` +
    'neither covers the other. Give each a name of its own with --agent-name.'
  );
}

function causeOf({ wasStopped }: LastRun): string {
  return wasStopped ? 'agent was stopped' : 'agent was killed, or its machine went down';
}
