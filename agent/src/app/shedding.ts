import type { Logger } from '../lib/logger.ts';

/** What the agent can do without, the least important first; each from the share of the files that is taken. */
const LADDER = [
  { work: 'telemetry', from: 0.1, text: 'traces and logs of tasks are not sent by OTLP' },
  { work: 'live', from: 0.25, text: 'live streams are ended and refused' },
  { work: 'searches', from: 0.5, text: 'searches, series, failure groups and exports are refused' },
] as const;

export type ShedWork = (typeof LADDER)[number]['work'];

export interface Load {
  /** Share of the room for events that wait in files, 0 to 1. */
  readonly fill: number;
  /** The database takes events. */
  readonly canStore: boolean;
}

export interface Shedding {
  /** Whether this is left out now; where it is, it is counted. */
  refuses(work: ShedWork): boolean;
  /** What is left out now, in whole sentences; empty when nothing is. */
  sentences(): readonly string[];
  /** Whether each is left out now, and how often it was since the start. */
  stats(): readonly { readonly work: ShedWork; readonly isShed: boolean; readonly count: number }[];
  /** To be called every second or so. */
  look(load: Load): void;
}

/**
 * Where events come faster than they are stored, the files fill up, and in the end events are lost. Before that the agent
 * leaves out what matters less, step by step; each is taken up again once the files are half as full as where it was left
 * out. Nothing is begun to be left out while the database is away: that would not make events wait less.
 */
export function openShedding(logger: Logger, onShed: (work: ShedWork) => void): Shedding {
  const steps = LADDER.map((step) => ({ ...step, isShed: false, count: 0 }));

  return {
    refuses(work) {
      const step = steps.find((one) => one.work === work);
      if (step?.isShed !== true) return false;
      step.count += 1;
      return true;
    },
    sentences: () =>
      steps
        .filter(({ isShed }) => isShed)
        .map(
          ({ from, text }) =>
            `Overloaded: ${text} until the files of waiting events are less than ${from * 50} % full. Give Postgres or the agent more processor time.`,
        ),
    stats: () => steps.map(({ work, isShed, count }) => ({ work, isShed, count })),
    look({ fill, canStore }) {
      for (const step of steps) {
        if (!step.isShed && fill >= step.from && canStore) {
          step.isShed = true;
          logger.warn({ work: step.work, fill }, `overloaded: ${step.text}`);
          onShed(step.work);
        } else if (step.isShed && fill < step.from / 2) {
          step.isShed = false;
          logger.info({ work: step.work, count: step.count }, 'the load is down: what was left out is done again');
        }
      }
    },
  };
}
