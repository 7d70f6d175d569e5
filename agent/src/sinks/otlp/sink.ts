import type { CeleryEvent } from '../../core/events/event.ts';
import type { Settled } from '../../core/heal/store.ts';
import type { Change, TaskChange, WorkerChange } from '../../core/state/change.ts';
import { isReady, SUCCESS } from '../../core/state/states.ts';
import type { TaskState } from '../../core/state/task.ts';
import type { WorkerState } from '../../core/state/worker.ts';
import { type Attempt, attemptOf, countOf, endedBy, endsAttempt, noteEvent } from '../../core/telemetry/attempts.ts';
import type { Attributes, TaskPlace } from '../../core/telemetry/attributes.ts';
import { traceIdOfTask } from '../../core/telemetry/ids.ts';
import { findingLog, type LogEntry, taskLog, workerLog, type WorkerTurn } from '../../core/telemetry/logs.ts';
import { isSampled } from '../../core/telemetry/sampling.ts';
import { attemptSpans, type Span, taskSpan } from '../../core/telemetry/spans.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Exporter, OtlpOptions, Signal } from './options.ts';
import { Outbox, type OutboxStats } from './outbox.ts';
import { Pending } from './pending.ts';

export interface OtlpDeps {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Undefined: the signal is not sent. */
  readonly spans: Exporter<Span> | undefined;
  readonly logs: Exporter<LogEntry> | undefined;
  readonly options: Pick<OtlpOptions, 'sampleRatio' | 'queueBytes' | 'maxTasks'>;
  /** `messaging.system`. */
  readonly system: string;
  readonly queueOf: (task: TaskState) => string;
  /** A history says which agent stored an event first: it then calls `stored` and `settled`. */
  readonly isShared: boolean;
  /** What ends now is not to be told: more important work needs the time. Asked once for each. */
  readonly isShed?: () => boolean;
}

export interface OtlpStats {
  readonly signals: Readonly<Partial<Record<Signal, OutboxStats>>>;
  /** Tasks whose trace the sampling left out. */
  readonly sampledOut: number;
}

/** Tells Tempo of tasks that have ended, and Loki of what went wrong and of workers that come and go. */
export class OtlpSink {
  readonly #deps: OtlpDeps;
  readonly #pending: Pending;
  readonly #spans: Outbox<Span> | undefined;
  readonly #logs: Outbox<LogEntry> | undefined;
  /** Of tasks that have not ended, those heard of first at the front. */
  readonly #attempts = new Map<string, Attempt[]>();
  #sampledOut = 0;

  constructor(deps: OtlpDeps) {
    const { clock, logger, options } = deps;
    this.#deps = deps;
    this.#pending = new Pending(clock, deps.isShared);
    const common = { clock, logger, maxBytes: options.queueBytes };
    this.#spans = deps.spans && new Outbox({ ...common, signal: 'traces', exporter: deps.spans, weigh: weighSpan });
    this.#logs = deps.logs && new Outbox({ ...common, signal: 'logs', exporter: deps.logs, weigh: weighLog });
  }

  /** Never waits and never throws. */
  onChange(change: Change): void {
    if (change.kind === 'task') this.#task(change);
    else this.#worker(change);
  }

  /** What was found out about a task without an event of it; only the agent that heals learns of it. Never throws. */
  onFinding({ finding, task }: Settled): void {
    if (this.#deps.isShed?.() === true) return;
    const { verdict } = finding;
    const place = this.#place(task);
    this.#log(findingLog(finding, task, place));
    const isOver = verdict.kind === 'healed' && isReady(task.state);
    // Of one whose worker lives nobody knows that it went wrong.
    const isLost = verdict.kind === 'orphaned' && verdict.reason !== 'end-unheard';
    const attempts = endedBy(finding, task, this.#attempts.get(task.uuid) ?? []);
    if (isOver) this.#attempts.delete(task.uuid);
    if (isOver || isLost) this.#traceWhole(task, attempts, place);
  }

  /** The history took in these events for the first time. */
  stored(events: readonly CeleryEvent[]): void {
    for (const { identity } of events) this.#pending.ours(identity);
  }

  /** These are in the history now, whoever stored them first; call it after `stored`. */
  settled(events: readonly CeleryEvent[]): void {
    for (const { identity } of events) this.#pending.settled(identity);
  }

  stats(): OtlpStats {
    const traces = this.#spans?.stats();
    const logs = this.#logs?.stats();
    return { signals: { ...(traces && { traces }), ...(logs && { logs }) }, sampledOut: this.#sampledOut };
  }

  /** Sends what waits until the deadline, epoch ms. */
  async close(deadlineMs: number): Promise<void> {
    this.#pending.close();
    await Promise.all([this.#spans?.close(deadlineMs), this.#logs?.close(deadlineMs)]);
  }

  #task({ event, task, before, revived }: TaskChange): void {
    if (revived !== undefined) this.#turn('online', revived, event);
    const wasOver = before !== undefined && isReady(before);
    // What comes after the end may still complete it while that is not told, but not move it.
    if (wasOver && (endsAttempt(event) || !this.#attempts.has(task.uuid))) return;
    const attempts = this.#attemptsOf(task, event);
    const attempt = noteEvent(attempts, event);
    if (!endsAttempt(event)) return;
    const isOver = isReady(task.state);
    this.#pending.add(event.identity, (isOurs) => {
      if (isOver) this.#attempts.delete(task.uuid);
      if (isOurs) this.#tell({ event, task, attempts, attempt, place: this.#place(task), isOver });
      else attempt.told = true;
    });
  }

  #tell(end: TaskEnd): void {
    if (this.#deps.isShed?.() === true) return;
    const { event, task, attempts, place } = end;
    if (this.#logs !== undefined) this.#log(taskLog(event, task, place, end.attempt.number));
    if (end.isOver) {
      this.#traceWhole(task, attempts, place);
      return;
    }
    this.#traceAttempts(task, [end.attempt], place);
    // A rejected message that does not go back to the queue ends its task, unless its failure is told too.
    const isDropped = event.subject === 'rejected' && event.fields['requeue'] !== true;
    if (isDropped && !isReady(task.state)) this.#spans?.push(taskSpan(task, attempts, place));
  }

  #traceWhole(task: TaskState, attempts: readonly Attempt[], place: TaskPlace): void {
    if (this.#spans === undefined) return;
    if (!this.#isWanted(task, attempts)) {
      this.#sampledOut += 1;
      return;
    }
    this.#traceAttempts(task, attempts, place);
    this.#spans.push(taskSpan(task, attempts, place));
  }

  #traceAttempts(task: TaskState, attempts: readonly Attempt[], place: TaskPlace): void {
    for (const attempt of attempts) {
      if (attempt.told) continue;
      attempt.told = true;
      for (const span of attemptSpans(task, attempt, place)) this.#spans?.push(span);
    }
  }

  /** Whatever did not go smoothly is always sent. */
  #isWanted(task: TaskState, attempts: readonly Attempt[]): boolean {
    const { sampleRatio } = this.#deps.options;
    if (sampleRatio >= 1 || task.state !== SUCCESS || attempts.length > 1 || countOf(task.retries) > 0) return true;
    return isSampled(traceIdOfTask(task.uuid, task.root_id), sampleRatio);
  }

  #attemptsOf(task: TaskState, event: CeleryEvent): Attempt[] {
    const held = this.#attempts.get(task.uuid);
    if (held !== undefined) return held;
    const isNew = event.subject === 'sent' || (event.subject === 'received' && task.sent === null);
    const attempts = isNew ? [] : [attemptOf(task, event)];
    this.#attempts.set(task.uuid, attempts);
    if (this.#attempts.size > this.#deps.options.maxTasks) {
      for (const oldest of this.#attempts.keys()) {
        this.#attempts.delete(oldest);
        break;
      }
    }
    return attempts;
  }

  #worker({ event, worker, wasOnline, restarted }: WorkerChange): void {
    if (event === undefined) this.#log(workerLog('lost', worker, undefined));
    else if (event.subject === 'offline') this.#turn('offline', worker, event);
    else if (restarted) this.#turn('restarted', worker, event);
    else if (worker.online && !wasOnline) this.#turn('online', worker, event);
  }

  #turn(turn: WorkerTurn, worker: WorkerState, event: CeleryEvent): void {
    if (this.#logs === undefined) return;
    const entry = workerLog(turn, worker, event);
    this.#pending.add(event.identity, (isOurs) => {
      if (isOurs) this.#log(entry);
    });
  }

  #log(entry: LogEntry | undefined): void {
    if (entry !== undefined) this.#logs?.push(entry);
  }

  #place(task: TaskState): TaskPlace {
    return { system: this.#deps.system, queue: this.#deps.queueOf(task) };
  }
}

interface TaskEnd {
  readonly event: CeleryEvent;
  readonly task: TaskState;
  readonly attempts: readonly Attempt[];
  /** That the event ended. */
  readonly attempt: Attempt;
  readonly place: TaskPlace;
  readonly isOver: boolean;
}

/** Of an object with its members, besides its texts. */
const OBJECT_BYTES = 400;
/** Of an attribute, besides its own text. */
const ATTRIBUTE_BYTES = 50;

function weighSpan({ attributes, events }: Span): number {
  const inside = events.reduce((sum, event) => sum + OBJECT_BYTES + weighAttributes(event.attributes), 0);
  return OBJECT_BYTES + weighAttributes(attributes) + inside;
}

function weighLog({ body, attributes }: LogEntry): number {
  return OBJECT_BYTES + 2 * body.length + weighAttributes(attributes);
}

function weighAttributes(attributes: Attributes): number {
  let bytes = 0;
  for (const name in attributes) {
    const value = attributes[name];
    bytes += ATTRIBUTE_BYTES + (typeof value === 'string' ? 2 * value.length : 0);
  }
  return bytes;
}
