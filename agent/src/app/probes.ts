import { BrokerUnavailable } from '../core/control/command.ts';
import type { ControlService, Inspector, QueueDepth } from '../core/control/service.ts';
import { memsampleBytes, workerReading, type WorkerReading } from '../core/control/worker-reading.ts';
import type { TaskState } from '../core/state/task.ts';
import type { WorkerState } from '../core/state/worker.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { Probe } from '../sinks/metrics/cluster-set.ts';
import type { Metrics } from '../sinks/metrics/metrics.ts';
import type { Leadership } from './leadership.ts';
import { countOpenTasks } from '../sinks/metrics/open-tasks.ts';

/** Unfinished tasks are counted in memory: no question to anybody. */
const COUNT_TASKS_MS = 5000;
/** What a worker said counts for so many intervals. */
const FRESH_INTERVALS = 3;
/** Of the interval, to both sides: replicas and workers do not fall into step. */
const JITTER = 0.1;

export interface ProbeDeps {
  readonly control: Pick<ControlService, 'queues' | 'call'> & {
    readonly inspector: Pick<Inspector, 'known' | 'refresh'>;
  };
  /** Asks the broker about queues that `control` does not name any more but that are still shown. */
  readonly depths?: (names: readonly string[]) => Promise<readonly QueueDepth[]>;
  readonly cluster: {
    worker(hostname: string): Pick<WorkerState, 'online' | 'lastSeenMs' | 'sw_sys'> | undefined;
    openTasks(): Iterable<TaskState>;
    counts(): { readonly openTasks: number };
  };
  readonly metrics: Pick<Metrics, 'cluster' | 'queueOf'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly intervalMs: number;
  /** Of several agents the leader alone asks; absent: this one does. */
  readonly leadership?: Pick<Leadership, 'showsCluster' | 'onChange'>;
  /** From 0 to 1; default `Math.random`. */
  readonly random?: () => number;
}

/**
 * Asks the broker for its queues and the workers for their state, each on its own timer and never twice at a time, and
 * hands the answers to the metrics, while this agent shows them. Failures are counted and logged once until it works again.
 */
export function startProbes(deps: ProbeDeps): { close(): void } {
  const { metrics, clock, intervalMs, random = Math.random } = deps;
  const jittered = (): number => intervalMs * (1 - JITTER + 2 * JITTER * random());
  const probe = (name: Probe, ask: () => Promise<void>): (() => void) => {
    metrics.cluster.begin(name, clock.now());
    return repeat(clock, guarded(deps, name, ask), { firstMs: intervalMs * JITTER * random(), nextMs: jittered });
  };
  const stopCounting = repeat(clock, () => countTasks(deps), { firstMs: COUNT_TASKS_MS, nextMs: () => COUNT_TASKS_MS });
  let stops: readonly (() => void)[] = [];
  let isAsking = false;
  const ask = (isWanted: boolean): void => {
    if (isWanted === isAsking) return;
    isAsking = isWanted;
    stops.forEach((stop) => stop());
    stops = isWanted ? [probe('queues', () => probeQueues(deps)), probe('workers', () => probeWorkers(deps))] : [];
  };
  const askIfShown = (): void => ask(deps.leadership?.showsCluster() ?? true);
  askIfShown();
  const stopListening = deps.leadership?.onChange(askIfShown);
  return {
    close: () => {
      stopListening?.();
      stopCounting();
      ask(false);
    },
  };
}

/** Runs the task again and again, the pause counted from its end. */
function repeat(
  clock: Clock,
  task: () => Promise<void>,
  { firstMs, nextMs }: { readonly firstMs: number; readonly nextMs: () => number },
): () => void {
  let isOver = false;
  let cancel = clock.after(firstMs, run);
  function run(): void {
    void task().finally(() => {
      if (!isOver) cancel = clock.after(nextMs(), run);
    });
  }
  return () => {
    isOver = true;
    cancel();
  };
}

/** Never rejects: a failure is counted, and logged when it is the first after a success. */
function guarded({ metrics, clock, logger }: ProbeDeps, probe: Probe, ask: () => Promise<void>): () => Promise<void> {
  let isFailing = false;
  return async () => {
    try {
      await ask();
      if (isFailing) logger.info(`the ${probe} can be asked for the metrics again`);
      isFailing = false;
    } catch (error) {
      metrics.cluster.failed(probe, clock.now());
      const why = error instanceof BrokerUnavailable ? { reason: error.message } : { err: error };
      if (!isFailing) logger.warn(why, `the ${probe} cannot be asked for the metrics`);
      isFailing = true;
    }
  };
}

async function probeQueues({ control, depths, metrics, clock }: ProbeDeps): Promise<void> {
  const startedMs = clock.now();
  const told = await control.queues();
  const names = new Set(told.map(({ name }) => name));
  const left = [...metrics.cluster.shownQueues(clock.now())].filter((name) => !names.has(name));
  const rest = left.length === 0 || depths === undefined ? [] : await depths(left);
  metrics.cluster.queues([...told, ...rest], clock.now(), clock.now() - startedMs);
}

async function probeWorkers(deps: ProbeDeps): Promise<void> {
  const { control, metrics, clock } = deps;
  const startedMs = clock.now();
  await control.inspector.refresh();
  const readings = await withMemory(presentWorkers(deps), control);
  metrics.cluster.workers(readings, clock.now(), clock.now() - startedMs);
}

/**
 * Workers that answered lately, unless they said good-bye since; and workers that are heard of by events although they
 * are too busy to answer (solo), as they told last.
 */
function presentWorkers({ control, cluster, clock, intervalMs }: ProbeDeps): WorkerReading[] {
  const freshSince = clock.now() - FRESH_INTERVALS * intervalMs;
  const readings: WorkerReading[] = [];
  for (const [worker, inspection] of control.inspector.known()) {
    const heard = cluster.worker(worker);
    const left = heard !== undefined && !heard.online && heard.lastSeenMs >= inspection.timestampMs;
    const isPresent = heard?.online === true || (inspection.timestampMs >= freshSince && !left);
    if (isPresent) readings.push(workerReading(worker, inspection, heard?.sw_sys));
  }
  return readings;
}

/** Workers without getrusage (Windows) are asked for `memsample`, where psutil tells their memory. */
async function withMemory(
  readings: readonly WorkerReading[],
  control: Pick<ControlService, 'call'>,
): Promise<readonly WorkerReading[]> {
  const [first, ...others] = readings.filter(({ rssBytes }) => rssBytes === undefined).map(({ worker }) => worker);
  if (first === undefined) return readings;
  const target = { kind: 'workers', workers: [first, ...others] } as const;
  const result = await control.call({ method: 'memsample', arguments: {}, target }).catch(() => undefined);
  const answers = result?.answers ?? [];
  const bytes = new Map(answers.map((answer) => [answer.worker, answer.ok ? memsampleBytes(answer.reply) : undefined]));
  return readings.map((reading) => {
    const rssBytes = bytes.get(reading.worker);
    return reading.rssBytes !== undefined || rssBytes === undefined ? reading : { ...reading, rssBytes };
  });
}

async function countTasks({ cluster, metrics, clock }: ProbeDeps): Promise<void> {
  const { openTasks } = cluster.counts();
  const open = await countOpenTasks(cluster.openTasks(), openTasks, (task) => metrics.queueOf(task));
  metrics.cluster.openTasks(open, clock.now());
}
