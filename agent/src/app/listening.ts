import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { AgentLog } from '../sinks/history/agent-log.ts';
import type { ListeningGap } from '../transport/port.ts';

const BEAT_MS = 5000;
/** Gaps that wait for the database; more of them are joined into the last. */
const MAX_WAITING = 1000;

export interface ListeningLog {
  /** A time in which events could not be heard; stored as soon as the database can be had. */
  recordGap(gap: ListeningGap): void;
  /**
   * The agent hears events now: keeps the trace by which the next run knows how long nobody did.
   *
   * @param wereKept the broker kept the events of the time before: nobody heard them then, but nothing is missing
   */
  listening(wereKept: boolean): void;
  /** The last beat of an earlier run, epoch ms: from then until `listening` nobody did. */
  previousRunEnded(aliveMs: number | null): void;
  close(): Promise<void>;
}

/** Keeps `umbel_gaps` and the agent's beat in `umbel_agents`. */
export function startListeningLog(deps: {
  readonly agentName: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly log: () => AgentLog | undefined;
}): ListeningLog {
  const { agentName, clock, logger } = deps;
  const waiting: ListeningGap[] = [];
  let previousBeatMs: number | null = null;
  let heard = false;

  async function store(): Promise<void> {
    const log = deps.log();
    if (log === undefined) return;
    try {
      if (heard) await log.beat(agentName, clock.now());
      heard = false;
      for (let gap = waiting[0]; gap !== undefined; gap = waiting[0]) {
        await log.recordGap({ ...gap, agent: agentName });
        waiting.shift();
      }
    } catch (error) {
      logger.debug({ err: error }, 'gaps wait: the database is away');
    }
  }

  let storing: Promise<void> = Promise.resolve();
  const storeInTurn = (): void => {
    storing = storing.then(store);
  };
  const stop = clock.every(BEAT_MS, storeInTurn);

  function recordGap(gap: ListeningGap): void {
    const last = waiting.at(-1);
    if (last !== undefined && waiting.length >= MAX_WAITING)
      waiting[waiting.length - 1] = { ...gap, fromMs: last.fromMs };
    else waiting.push(gap);
    storeInTurn();
  }

  return {
    recordGap,
    previousRunEnded(aliveMs) {
      previousBeatMs = aliveMs;
    },
    listening(wereKept) {
      if (previousBeatMs !== null && !wereKept) {
        recordGap({ fromMs: previousBeatMs, toMs: clock.now(), cause: 'agent was not running' });
      }
      previousBeatMs = null;
      heard = true;
    },
    async close() {
      stop();
      storeInTurn();
      await storing;
    },
  };
}
