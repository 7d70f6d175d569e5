import type { RawMessage } from '../../core/wire/message.ts';
import { Agenda } from './agenda.ts';
import { TASK_KINDS, WORKERS, WORKFLOWS, kindNamed } from './catalogue.ts';
import type { TaskKind } from './catalogue.ts';
import { Emitter } from './emitter.ts';
import type { Sender } from './emitter.ts';
import { held, messageFields, workerStatus } from './fields.ts';
import { hostOf, newWorker, queueOf } from './model.ts';
import type { DemoTask, DemoWorker, WorkflowRun } from './model.ts';
import { repr, traceback, tupleRepr } from './python.ts';
import { Random } from './random.ts';

export interface SimulationOptions {
  /** Epoch ms at which the cluster starts. */
  readonly startMs: number;
  /** Default 1. */
  readonly seed?: number;
  /** Mean of tasks sent a second. Default 5. */
  readonly tasksPerSecond?: number;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HEARTBEAT_MS = 2 * SECOND;
const WORKFLOW_SHARE = 0.12;
/** Tasks that one arrival makes on average, workflows included. */
const TASKS_PER_ARRIVAL = 1.42;
/** celery's `worker_prefetch_multiplier`, smaller than its default so that queues are seen to grow. */
const PREFETCH = 2;

/**
 * A web shop's Celery cluster, simulated: what it does depends on the seed and on the instants handed to `step` alone.
 * Queues, workers and tasks are objects, and every change of them is told in the events of Celery 5.7.
 */
export class DemoSimulation {
  readonly workers: readonly DemoWorker[];
  readonly queues = new Map<string, DemoTask[]>();
  /** Every task that is not finished. */
  readonly tasks = new Map<string, DemoTask>();
  readonly #random: Random;
  readonly #emitter: Emitter;
  readonly #agenda = new Agenda();
  readonly #publishers: readonly [Sender, Sender];
  readonly #startMs: number;
  readonly #perSecond: number;
  #incident: { kind: string; untilMs: number } | undefined;

  constructor({ startMs, seed = 1, tasksPerSecond = 5 }: SimulationOptions) {
    this.#random = new Random(seed);
    this.#emitter = new Emitter(this.#random);
    this.#startMs = startMs;
    this.#perSecond = tasksPerSecond;
    this.#publishers = [this.#process('gen', 'web-1'), this.#process('gen', 'web-2')];
    const scale = Math.max(1, Math.ceil(tasksPerSecond / 5));
    this.workers = WORKERS.map((plan) => newWorker(plan, scale, this.#process('gen', hostOf(plan.hostname)), startMs));
    this.#planStart();
  }

  /** Lets the cluster live until `nowMs`, and gives what it sent meanwhile, in order. */
  step(nowMs: number): RawMessage[] {
    this.#agenda.runUntil(nowMs);
    return this.#emitter.take(nowMs);
  }

  /** A message has come into its queue. */
  enqueue(task: DemoTask, atMs: number): void {
    const queue = queueOf(task);
    task.sentMs = atMs;
    this.tasks.set(task.id, task);
    this.#queue(queue).push(task);
    this.#agenda.plan(atMs + this.#random.between(1, 9), (laterMs) => this.#dispatch(queue, laterMs));
  }

  /** Takes up work that a worker has room or rights for since a change of its pool or queues. */
  resume(worker: DemoWorker, atMs: number): void {
    this.#startNext(worker, atMs);
    for (const queue of worker.queues) this.#dispatch(queue, atMs);
  }

  /** Ends a running task by a signal; what waits in the worker is only marked as revoked. */
  terminate(worker: DemoWorker, task: DemoTask, signum: number, atMs: number): void {
    if (!worker.active.delete(task)) return;
    this.#revoked(worker, task, { terminated: true, signum, expired: false }, atMs);
    this.#offlineWhenIdle(worker, atMs);
    this.resume(worker, atMs);
  }

  /** A warm shutdown; as if watched over by a supervisor, the worker comes back after half a minute. */
  shutdown(worker: DemoWorker, atMs: number): void {
    if (worker.state !== 'online') return;
    this.#stopWorker(worker, atMs);
    this.#agenda.plan(atMs + 30 * SECOND, (backMs) => this.#bringBack(worker, backMs));
  }

  heartbeat(worker: DemoWorker, atMs: number): void {
    this.#emitter.send(worker, 'worker-heartbeat', workerStatus(worker, this.#random), atMs);
  }

  #process(prefix: string, host: string): Sender {
    const pid = this.#random.integer(300, 32_000);
    return { hostname: `${prefix}${pid}@${host}`, pid, clock: 0 };
  }

  #planStart(): void {
    this.workers.forEach((worker, index) => {
      this.#agenda.plan(this.#startMs + index * 40, (atMs) => this.#startWorker(worker, atMs));
    });
    if (this.#perSecond > 0) this.#agenda.plan(this.#startMs + 250, (atMs) => this.#arrival(atMs));
    this.#agenda.plan(this.#startMs + 45 * SECOND, (atMs) => this.#beginIncident(atMs));
    this.#agenda.plan(this.#startMs + 75 * SECOND, (atMs) => this.#stopSomeWorker(atMs));
  }

  // Workers

  #startWorker(worker: DemoWorker, atMs: number): void {
    worker.state = 'online';
    worker.generation += 1;
    worker.processed = 0;
    worker.clock = 0;
    worker.startedMs = atMs;
    worker.isMuted = false;
    worker.totals.clear();
    worker.queues.clear();
    for (const queue of worker.plan.queues) worker.queues.add(queue);
    worker.pid = this.#random.integer(300, 32_000);
    worker.child = this.#process('gen', hostOf(worker.hostname));
    this.#emitter.send(worker, 'worker-online', workerStatus(worker, this.#random), atMs);
    const { generation } = worker;
    const beat = (beatMs: number): void => {
      if (worker.generation !== generation || worker.state === 'offline') return;
      this.#emitter.send(worker, 'worker-heartbeat', workerStatus(worker, this.#random), beatMs);
      this.#agenda.plan(beatMs + HEARTBEAT_MS, beat);
    };
    this.#agenda.plan(atMs + HEARTBEAT_MS, beat);
    for (const queue of worker.queues) this.#dispatch(queue, atMs + 1);
  }

  /** Now and then one worker goes: in good order, or killed without a word. */
  #stopSomeWorker(atMs: number): void {
    const candidates = this.workers.filter((worker) => worker.state === 'online' && /-2$/.test(worker.hostname));
    const worker = candidates[this.#random.integer(0, candidates.length - 1)];
    if (worker !== undefined) {
      if (this.#random.chance(0.3)) this.#killWorker(worker, atMs);
      else this.#stopWorker(worker, atMs);
      const back = atMs + this.#random.between(40, 90) * SECOND;
      this.#agenda.plan(back, (backMs) => this.#bringBack(worker, backMs));
    }
    const next = atMs + this.#random.between(4, 9) * MINUTE;
    this.#agenda.plan(next, (nextMs) => this.#stopSomeWorker(nextMs));
  }

  #bringBack(worker: DemoWorker, atMs: number): void {
    if (worker.state === 'offline') this.#startWorker(worker, atMs);
    else this.#agenda.plan(atMs + SECOND, (laterMs) => this.#bringBack(worker, laterMs));
  }

  /** A warm shutdown: gives back what it has not begun, finishes the rest. */
  #stopWorker(worker: DemoWorker, atMs: number): void {
    worker.state = 'stopping';
    this.#giveBack(worker, [...worker.reserved.splice(0), ...worker.scheduled], atMs);
    worker.scheduled.clear();
    this.#offlineWhenIdle(worker, atMs);
  }

  #offlineWhenIdle(worker: DemoWorker, atMs: number): void {
    if (worker.state !== 'stopping' || worker.active.size > 0) return;
    worker.state = 'offline';
    this.#emitter.flush(worker);
    this.#emitter.send(worker, 'worker-offline', workerStatus(worker, this.#random), atMs);
  }

  /** No offline event; the broker hands its tasks out again (acks late). */
  #killWorker(worker: DemoWorker, atMs: number): void {
    worker.state = 'offline';
    worker.generation += 1;
    const held = [...worker.active, ...worker.reserved.splice(0), ...worker.scheduled];
    worker.active.clear();
    worker.scheduled.clear();
    this.#giveBack(worker, held, atMs + 30 * SECOND);
  }

  #giveBack(worker: DemoWorker, held: readonly DemoTask[], atMs: number): void {
    this.#agenda.plan(atMs, (backMs) => {
      for (const task of held) this.#queue(queueOf(task)).push(task);
      for (const queue of worker.queues) this.#dispatch(queue, backMs);
    });
  }

  // Sending

  #arrival(atMs: number): void {
    const publisher = this.#random.pick(this.#publishers);
    if (this.#random.chance(WORKFLOW_SHARE)) {
      const stages = this.#random.pick(WORKFLOWS);
      this.#publishStage({ stages, stage: 0, open: 0 }, publisher, null, atMs);
    } else {
      this.#publish(this.#newTask(this.#randomKind(), null), publisher, atMs);
    }
    const hour = (atMs / MINUTE / 60) * 2 * Math.PI;
    const rate = (this.#perSecond / TASKS_PER_ARRIVAL) * (1 + 0.25 * Math.sin(hour * 2) + 0.1 * Math.sin(hour * 11));
    this.#agenda.plan(atMs + this.#random.waitMs(rate), (nextMs) => this.#arrival(nextMs));
  }

  #randomKind(): TaskKind {
    let rest = this.#random.next() * TASK_KINDS.reduce((sum, kind) => sum + kind.weight, 0);
    for (const kind of TASK_KINDS) {
      rest -= kind.weight;
      if (rest < 0) return kind;
    }
    return kindNamed('shop.search.index_product');
  }

  #newTask(kind: TaskKind, parent: DemoTask | null, workflow?: WorkflowRun): DemoTask {
    const id = this.#random.uuid();
    const kwargs = kind.kwargs(this.#random);
    const args = kind.args(this.#random);
    return {
      id,
      kind,
      args: tupleRepr(args),
      kwargs: repr(kwargs),
      argsJson: JSON.stringify(args),
      kwargsJson: JSON.stringify(kwargs),
      rootId: parent?.rootId ?? id,
      parentId: parent?.id ?? null,
      retries: 0,
      ...(workflow !== undefined && { workflow }),
    };
  }

  #publishStage(workflow: WorkflowRun, publisher: Sender, parent: DemoTask | null, atMs: number): void {
    const names = workflow.stages[workflow.stage] ?? [];
    workflow.open = names.length;
    for (const name of names) this.#publish(this.#newTask(kindNamed(name), parent, workflow), publisher, atMs);
  }

  #publish(task: DemoTask, publisher: Sender, atMs: number): void {
    const { kind } = task;
    if (task.retries === 0 && kind.countdown !== undefined && this.#random.chance(0.4)) {
      task.etaMs = atMs + kind.countdown * SECOND;
    }
    if (task.retries === 0 && this.#random.chance(0.01)) task.expiresMs = atMs + this.#random.between(1, 60) * 10;
    const queue = queueOf(task);
    const routing = { queue, exchange: '', routing_key: queue };
    const { root_id, parent_id, ...head } = messageFields(task);
    this.#emitter.send(publisher, 'task-sent', { uuid: task.id, root_id, parent_id, ...head, ...routing }, atMs);
    this.enqueue(task, atMs);
  }

  #queue(name: string): DemoTask[] {
    const queue = this.queues.get(name) ?? [];
    this.queues.set(name, queue);
    return queue;
  }

  // Running

  #dispatch(queue: string, atMs: number): void {
    const waiting = this.#queue(queue);
    while (waiting.length > 0) {
      const worker = this.workers
        .filter((candidate) => candidate.state === 'online' && candidate.queues.has(queue))
        .filter((candidate) => held(candidate) < candidate.concurrency * PREFETCH)
        .sort((a, b) => held(a) - held(b))[0];
      const task = worker && waiting.shift();
      if (worker === undefined || task === undefined) return;
      this.#receive(worker, task, atMs);
    }
  }

  #receive(worker: DemoWorker, task: DemoTask, atMs: number): void {
    if (task.kind.isUnknown === true) {
      const exception = `NotRegistered('${task.kind.name}')`;
      this.#emitter.batch(worker, 'task-failed', { uuid: task.id, exception }, atMs);
      this.tasks.delete(task.id);
      return;
    }
    this.#emitter.batch(worker, 'task-received', { uuid: task.id, ...messageFields(task) }, atMs);
    if (task.etaMs === undefined || task.etaMs <= atMs) {
      worker.reserved.push(task);
      this.#startNext(worker, atMs);
      return;
    }
    const { generation } = worker;
    worker.scheduled.add(task);
    this.#agenda.plan(task.etaMs, (etaMs) => {
      if (worker.generation !== generation || !worker.scheduled.delete(task)) return;
      worker.reserved.push(task);
      this.#startNext(worker, etaMs);
    });
  }

  #startNext(worker: DemoWorker, atMs: number): void {
    while (worker.state === 'online' && worker.active.size < worker.concurrency) {
      const task = worker.reserved.shift();
      if (task === undefined) return;
      const startMs = atMs + this.#random.between(0.3, 3);
      const isExpired = task.expiresMs !== undefined && task.expiresMs < startMs;
      if (isExpired || worker.revoked.has(task.id)) {
        this.#revoked(worker, task, { terminated: false, signum: null, expired: isExpired }, atMs);
      } else {
        this.#start(worker, task, startMs);
      }
    }
  }

  #start(worker: DemoWorker, task: DemoTask, startMs: number): void {
    const { kind } = task;
    const { generation } = worker;
    worker.active.add(task);
    task.startedMs = startMs;
    worker.totals.set(kind.name, (worker.totals.get(kind.name) ?? 0) + 1);
    const isCurrent = (): boolean => worker.generation === generation && worker.active.has(task);
    const seconds = Math.min(this.#random.skewed(kind.seconds, kind.spread), kind.seconds * 12);
    this.#agenda.plan(startMs, () => {
      if (isCurrent()) this.#emitter.batch(worker, 'task-started', { uuid: task.id }, startMs);
    });
    for (const pct of kind.reportsProgress === true ? [20, 40, 60, 80] : []) {
      this.#agenda.plan(startMs + seconds * 10 * pct, (atMs) => {
        if (isCurrent()) this.#progress(worker, task, pct, atMs);
      });
    }
    this.#agenda.plan(startMs + seconds * SECOND, (atMs) => {
      if (isCurrent()) this.#finish(worker, task, seconds, atMs);
    });
  }

  /** A custom event comes from the pool's child: its own pid and clock, the worker's name. */
  #progress(worker: DemoWorker, task: DemoTask, pct: number, atMs: number): void {
    const sender = { hostname: worker.hostname, pid: worker.child.pid, clock: worker.child.clock };
    this.#emitter.send(sender, 'task-progress', { uuid: task.id, pct, note: `${pct} of 100 pages` }, atMs);
    worker.child.clock = sender.clock;
  }

  #finish(worker: DemoWorker, task: DemoTask, seconds: number, atMs: number): void {
    worker.active.delete(task);
    worker.processed += 1;
    const isIncident = this.#incident?.kind === task.kind.name && this.#incident.untilMs > atMs;
    const chance = this.#random.next();
    if (chance < 0.002) this.#revoked(worker, task, { terminated: true, signum: 15, expired: false }, atMs);
    else if (chance < 0.004) this.#reject(worker, task, atMs);
    else if (chance < 0.004 + (isIncident ? 0.6 : task.kind.failure)) this.#fail(worker, task, isIncident, atMs);
    else this.#succeed(worker, task, seconds, atMs);
    this.#startNext(worker, atMs);
    this.#offlineWhenIdle(worker, atMs);
    for (const queue of worker.queues) this.#dispatch(queue, atMs);
  }

  #succeed(worker: DemoWorker, task: DemoTask, runtime: number, atMs: number): void {
    const result = repr(task.kind.result(this.#random));
    this.#emitter.batch(worker, 'task-succeeded', { uuid: task.id, result, runtime }, atMs);
    this.tasks.delete(task.id);
    const { workflow } = task;
    if (workflow === undefined) return;
    workflow.open -= 1;
    if (workflow.open > 0 || workflow.stage + 1 >= workflow.stages.length) return;
    workflow.stage += 1;
    this.#publishStage(workflow, worker.child, task, atMs);
  }

  #fail(worker: DemoWorker, task: DemoTask, isIncident: boolean, atMs: number): void {
    const { kind } = task;
    const exception = isIncident ? kind.exceptions[0] : this.#random.pick(kind.exceptions);
    const trace = traceback(kind.name, exception, 20 + (kind.name.length % 60));
    const failure = { uuid: task.id, exception, traceback: trace };
    if (task.retries >= kind.maxRetries) {
      this.#emitter.batch(worker, 'task-failed', failure, atMs);
      this.tasks.delete(task.id);
      return;
    }
    const retry: DemoTask = { ...task, parentId: task.id, retries: task.retries + 1 };
    retry.etaMs = atMs + 2 ** retry.retries * this.#random.between(2, 4) * SECOND;
    this.#emitter.batch(worker, 'task-retried', failure, atMs);
    this.#publish(retry, worker.child, atMs);
  }

  /** Celery 5.7 sends both events for `Reject(requeue=False)`. */
  #reject(worker: DemoWorker, task: DemoTask, atMs: number): void {
    const exception = "Reject('unknown schema version', requeue=False)";
    const trace = traceback(task.kind.name, exception, 12);
    this.#emitter.batch(worker, 'task-failed', { uuid: task.id, exception, traceback: trace }, atMs);
    this.#emitter.batch(worker, 'task-rejected', { uuid: task.id, requeue: false }, atMs);
    this.tasks.delete(task.id);
  }

  #revoked(worker: DemoWorker, task: DemoTask, how: Record<string, unknown>, atMs: number): void {
    this.#emitter.batch(worker, 'task-revoked', { uuid: task.id, ...how }, atMs);
    this.tasks.delete(task.id);
  }

  /** For a while one kind of task fails most of the time: a dependency is down. */
  #beginIncident(atMs: number): void {
    const kind = this.#random.pick(['shop.payments.capture', 'shop.mail.send_receipt', 'shop.search.index_product']);
    this.#incident = { kind, untilMs: atMs + this.#random.between(20, 45) * SECOND };
    this.#agenda.plan(atMs + this.#random.between(4, 10) * MINUTE, (nextMs) => this.#beginIncident(nextMs));
  }
}
