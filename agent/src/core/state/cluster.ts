import type { CeleryEvent } from '../events/event.ts';
import { applyFinding, findingEvent, isEnd, isStill, type Finding } from '../heal/finding.ts';
import type { Change, WorkerChange } from './change.ts';
import { RecentIdentities } from './recent-identities.ts';
import { mergeTaskEvent, TaskState } from './task.ts';
import { isOver, TaskWindow } from './task-window.ts';
import { isSilent, judgeOnline, mergeWorkerEvent, WorkerState } from './worker.ts';

/** What the model may hold; each at least 1. */
export interface ClusterLimits {
  /** Tasks that have not ended: those heard of first go first. */
  readonly openTasks: number;
  /** Tasks that have: those that ended first go first. */
  readonly finishedTasks: number;
  /** Workers: those not heard of for longest go first, a sixteenth at once. */
  readonly workers: number;
  /** Event identities remembered to tell doubled events: this many to twice as many. */
  readonly recentEvents: number;
}

/** For the agent's own metrics; the last four only grow. */
export interface ClusterCounts {
  readonly openTasks: number;
  readonly finishedTasks: number;
  readonly workers: number;
  readonly evictedOpen: number;
  readonly evictedFinished: number;
  readonly evictedWorkers: number;
  readonly doubledEvents: number;
}

/**
 * The live picture of the cluster: the agent's `celery.events.state.State`. Bounded; what has left it is in the history.
 * Fed each distinct event once, in order of arrival, its tasks and workers are those of Celery, field by field.
 */
export class ClusterState {
  readonly #limits: ClusterLimits;
  readonly #tasks: TaskWindow;
  readonly #workers = new Map<string, WorkerState>();
  readonly #recent: RecentIdentities;
  #evictedWorkers = 0;
  #doubledEvents = 0;

  constructor(limits: ClusterLimits) {
    this.#limits = limits;
    this.#tasks = new TaskWindow(limits.openTasks, limits.finishedTasks);
    this.#recent = new RecentIdentities(limits.recentEvents);
  }

  /** Takes in one event. Undefined when the same event was taken in recently: it then changes nothing. */
  apply(event: CeleryEvent, nowMs: number): Change | undefined {
    if (!this.#recent.add(event.identity)) {
      this.#doubledEvents++;
      return undefined;
    }
    return event.group === 'task' ? this.#applyTask(event, nowMs) : this.#applyWorker(event, nowMs);
  }

  /**
   * Puts in what was found out about a held task, or an open task that was found; undefined, and nothing done, when it is
   * another by now. Ends of tasks that were never held are for the history alone.
   */
  settle(finding: Finding): Change | undefined {
    const held = this.#tasks.get(finding.taskId);
    if (!isStill(held, finding) || (held === undefined && isEnd(finding))) return undefined;
    const task = held ?? new TaskState(finding.taskId);
    const before = held?.state;
    const workerBefore = task.worker;
    const wasOver = isOver(task);
    applyFinding(task, finding);
    if (held === undefined) this.#tasks.add(task);
    else this.#tasks.moved(task, wasOver);
    return { kind: 'task', event: findingEvent(finding), task, before, workerBefore };
  }

  /**
   * Takes workers for offline that were silent for too long; call it every second or so, while the agent listens.
   *
   * @param nowMs up to which what was sent has been taken in, epoch ms
   * @param listeningSinceMs epoch ms
   */
  sweep(nowMs: number, listeningSinceMs = 0): WorkerChange[] {
    const changes: WorkerChange[] = [];
    for (const worker of this.#workers.values()) {
      if (!worker.online || !isSilent(worker, nowMs, listeningSinceMs)) continue;
      worker.online = false;
      changes.push({ kind: 'worker', worker, wasOnline: true, restarted: false });
    }
    return changes;
  }

  /** A held task; undefined says nothing about the history. */
  task(uuid: string): TaskState | undefined {
    return this.#tasks.get(uuid);
  }

  /** Held tasks that have not ended, those heard of first at the front. May be walked while events come in. */
  openTasks(): Iterable<TaskState> {
    return this.#tasks.open();
  }

  worker(hostname: string): WorkerState | undefined {
    return this.#workers.get(hostname);
  }

  /** In the order in which they were first heard of. */
  workers(): WorkerState[] {
    return [...this.#workers.values()];
  }

  /** What another agent has heard since makes these old: to be seeded again. */
  forgetOpenTasks(): void {
    this.#tasks.forgetOpen();
  }

  /** Puts in a task as the history has it. False, and nothing done, when it is held already: what is held is newer. */
  seedTask(task: TaskState): boolean {
    if (this.#tasks.get(task.uuid) !== undefined) return false;
    this.#tasks.add(task);
    return true;
  }

  /** Puts in a worker as the history has it, unless what is held was heard later. */
  seedWorker(worker: WorkerState): void {
    const held = this.#workers.get(worker.hostname);
    if (held === undefined || held.lastSeenMs < worker.lastSeenMs) this.#keep(worker);
  }

  counts(): ClusterCounts {
    return {
      openTasks: this.#tasks.openCount,
      finishedTasks: this.#tasks.finishedCount,
      workers: this.#workers.size,
      evictedOpen: this.#tasks.evictedOpen,
      evictedFinished: this.#tasks.evictedFinished,
      evictedWorkers: this.#evictedWorkers,
      doubledEvents: this.#doubledEvents,
    };
  }

  #applyTask(event: CeleryEvent, nowMs: number): Change {
    const held = this.#tasks.get(event.uuid);
    const task = held ?? new TaskState(event.uuid);
    const before = held?.state;
    const wasOver = isOver(task);
    const workerBefore = task.worker;
    mergeTaskEvent(task, event);
    if (held === undefined) this.#tasks.add(task);
    else this.#tasks.moved(task, wasOver);
    // task-sent comes from a publisher, which is no worker.
    const revived = event.subject === 'sent' ? undefined : this.#signOfLife(event, nowMs);
    return { kind: 'task', event, task, before, workerBefore, revived };
  }

  #signOfLife(event: CeleryEvent, nowMs: number): WorkerState | undefined {
    const held = this.#workers.get(event.hostname);
    const worker = held ?? new WorkerState(event.hostname);
    const wasOnline = worker.online;
    mergeWorkerEvent(worker, event);
    judgeOnline(worker, event, nowMs);
    if (held === undefined) this.#keep(worker);
    return worker.online && !wasOnline ? worker : undefined;
  }

  #applyWorker(event: CeleryEvent, nowMs: number): Change {
    const held = this.#workers.get(event.hostname);
    const worker = held ?? new WorkerState(event.hostname);
    const wasOnline = worker.online;
    const pidBefore = worker.pid;
    mergeWorkerEvent(worker, event);
    judgeOnline(worker, event, nowMs);
    if (held === undefined && event.subject !== 'offline') this.#keep(worker);
    const restarted = typeof pidBefore === 'number' && typeof worker.pid === 'number' && pidBefore !== worker.pid;
    const isNew = event.subject === 'online' && typeof pidBefore !== 'number';
    if (restarted || isNew) worker.startedMs = event.timestamp * 1000;
    return { kind: 'worker', event, worker, wasOnline, restarted };
  }

  #keep(worker: WorkerState): void {
    this.#workers.set(worker.hostname, worker);
    if (this.#workers.size <= this.#limits.workers) return;
    // Several at once, so that a flood of names does not sort the list for each of them.
    const others = this.workers().filter((other) => other !== worker);
    const surplus = this.#workers.size - this.#limits.workers + Math.floor(this.#limits.workers / 16);
    others.sort((a, b) => a.lastSeenMs - b.lastSeenMs);
    for (const { hostname } of others.slice(0, surplus)) {
      this.#workers.delete(hostname);
      this.#evictedWorkers++;
    }
  }
}
