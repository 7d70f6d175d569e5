import type { Timeline } from '../api';

export type TaskEvent = Timeline['events'][number];

/** A stretch of a task's life. */
export interface Span {
  readonly kind: 'queued' | 'waiting' | 'running';
  readonly fromMs: number;
  readonly toMs: number;
  /** It has not ended yet; `toMs` is now */
  readonly open: boolean;
}

/** One delivery of a task: the first, and one more for each retry. */
export interface Attempt {
  readonly number: number;
  readonly spans: readonly Span[];
  readonly events: readonly TaskEvent[];
}

export interface TimelineModel {
  readonly attempts: readonly Attempt[];
  readonly fromMs: number;
  readonly toMs: number;
}

const ENDS: ReadonlySet<string> = new Set([
  'task-succeeded',
  'task-failed',
  'task-retried',
  'task-revoked',
  'task-rejected',
]);

/**
 * A task's events as attempts with bars: queued at the broker, waiting at a worker, running. Senders' clocks may differ,
 * so a stretch never ends before it begins.
 *
 * @param nowMs end of what still goes on
 * @param finished the task has ended: what no event ends is then left out instead of running on
 */
export function toTimeline(events: readonly TaskEvent[], nowMs: number, finished: boolean): TimelineModel {
  const numbers = [...new Set(events.map(({ attempt }) => attempt))].sort((a, b) => a - b);
  const attempts = numbers.map((number, index): Attempt => {
    const own = events.filter(({ attempt }) => attempt === number);
    const isLast = index === numbers.length - 1;
    return { number, events: own, spans: spansOf(own, isLast && !finished ? nowMs : undefined) };
  });
  const instants = [
    ...events.map(({ timestampMs }) => timestampMs),
    ...attempts.flatMap(({ spans }) => spans.map(({ toMs }) => toMs)),
  ];
  return { attempts, fromMs: Math.min(...instants), toMs: Math.max(...instants) };
}

function spansOf(events: readonly TaskEvent[], openUntilMs: number | undefined): Span[] {
  const at = (type: string) => events.find((event) => event.type === type)?.timestampMs;
  const sent = at('task-sent');
  const received = at('task-received');
  const started = at('task-started');
  const ended = events.filter(({ type }) => ENDS.has(type)).at(-1)?.timestampMs;
  return [
    ...span('queued', sent, received ?? started ?? ended, openUntilMs),
    ...span('waiting', received, started ?? ended, openUntilMs),
    ...span('running', started, ended, openUntilMs),
  ];
}

function span(
  kind: Span['kind'],
  fromMs: number | undefined,
  endMs: number | undefined,
  openUntilMs: number | undefined,
): Span[] {
  const toMs = endMs ?? openUntilMs;
  if (fromMs === undefined || toMs === undefined) {
    return [];
  }
  return [{ kind, fromMs, toMs: Math.max(toMs, fromMs), open: endMs === undefined }];
}

/** Where an instant lies, 0 to 100. */
export function percentOf(ms: number, { fromMs, toMs }: Pick<TimelineModel, 'fromMs' | 'toMs'>): number {
  return toMs === fromMs ? 0 : ((ms - fromMs) / (toMs - fromMs)) * 100;
}
