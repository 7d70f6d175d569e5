import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { AgentLog, LastRun } from '../sinks/history/agent-log.ts';
import type { ListeningGap } from '../transport/port.ts';

const BEAT_MS = 5000;
/** Gaps that wait for the database; more of them are joined into the last. */
const MAX_WAITING = 1000;

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
   */
  listening(wereKept: boolean): void;
  /** An earlier run of the agent, where there was one: from its end until `listening` it did not. */
  previousRun(last: LastRun | undefined): void;
  close(): Promise<void>;
}

/** Keeps `umbel_gaps` and the agent's beat in `umbel_agents`. */
export function startListeningLog(deps: {
  readonly agentName: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly log: () => AgentLog | undefined;
  /** Instant of the oldest event that is not stored yet; a killed agent loses those. Undefined: all are. */
  readonly oldestUnstoredMs: () => number | undefined;
}): ListeningLog {
  const { agentName, clock, logger } = deps;
  const waiting: (ListeningGap & { readonly isEnd: boolean })[] = [];
  /** The gap that lasts. */
  let lasting: { readonly fromMs: number; readonly cause: string; isStored: boolean } | undefined;
  let previous: LastRun | undefined;
  /** Of this run, when it first listened. */
  let first: { readonly atMs: number; readonly wereKept: boolean } | undefined;
  /** When the agent last said that it listens; undefined once that is stored. */
  let heardMs: number | undefined;
  let lastHeardMs: number | undefined;
  let hasBeat = false;

  async function store(): Promise<void> {
    const log = deps.log();
    if (log === undefined) return;
    try {
      // Gaps first: up to a beat every gap is known.
      for (let gap = waiting[0]; gap !== undefined; gap = waiting[0]) {
        const { isEnd, ...told } = gap;
        await (isEnd ? log.endGap({ ...told, agent: agentName }) : log.recordGap({ ...told, agent: agentName }));
        waiting.shift();
      }
      if (lasting?.isStored === false) {
        const stored = lasting;
        await log.openGap({ ...stored, agent: agentName });
        stored.isStored = true;
      }
      if (heardMs === undefined) return;
      const storedMs = Math.min(heardMs, deps.oldestUnstoredMs() ?? Infinity);
      heardMs = undefined;
      await log.beat(agentName, storedMs);
      hasBeat = true;
    } catch (error) {
      logger.debug({ err: error }, 'gaps wait: the database is away');
    }
  }

  let storing: Promise<void> = Promise.resolve();
  const storeInTurn = (): void => {
    storing = storing.then(store);
  };
  const stop = clock.every(BEAT_MS, storeInTurn);

  function keep(gap: ListeningGap, isEnd: boolean): void {
    const last = waiting.at(-1);
    if (last !== undefined && waiting.length >= MAX_WAITING)
      waiting[waiting.length - 1] = { ...gap, fromMs: last.fromMs, isEnd: isEnd || last.isEnd };
    else waiting.push({ ...gap, isEnd });
    storeInTurn();
  }

  /** The database may be reached long after the broker: the time between two runs ended when this one first listened. */
  function endTimeBetween(): void {
    if (previous === undefined || first === undefined) return;
    if (!first.wereKept) keep({ fromMs: previous.aliveMs, toMs: first.atMs, cause: causeOf(previous) }, true);
    previous = undefined;
  }

  return {
    recordGap: (gap) => keep(gap, false),
    deaf(sinceMs, cause) {
      // Who never listened has nothing to miss.
      if (lasting !== undefined || (previous === undefined && first === undefined)) return;
      lasting = {
        fromMs: previous?.aliveMs ?? sinceMs,
        cause: previous === undefined ? cause : `${causeOf(previous)}; ${cause}`,
        isStored: false,
      };
      storeInTurn();
    },
    endGap(gap) {
      lasting = undefined;
      keep(gap, true);
    },
    previousRun(last) {
      previous = last;
      endTimeBetween();
    },
    listening(wereKept) {
      heardMs = clock.now();
      lastHeardMs = heardMs;
      first ??= { atMs: heardMs, wereKept };
      lasting = undefined;
      endTimeBetween();
      // As soon as the database can be had: an agent that is killed right after its start is to leave a trace too.
      if (!hasBeat) storeInTurn();
    },
    async close() {
      stop();
      storeInTurn();
      await storing;
      await deps
        .log()
        ?.stop(agentName, lastHeardMs)
        .catch((error: unknown) => logger.debug({ err: error }, 'the stop could not be noted: the database is away'));
    },
  };
}

function causeOf({ wasStopped }: LastRun): string {
  return wasStopped ? 'agent was stopped' : 'agent was killed, or its machine went down';
}
