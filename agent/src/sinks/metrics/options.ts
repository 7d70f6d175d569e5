import { FAMILIES } from './families.ts';

/** How a publisher (the sender of task-sent) appears in the `worker` label of Flower's set. */
export type ProducerLabel = 'exact' | 'host' | 'generic';

export interface MetricsOptions {
  /** Serve Flower's families (`flower_*`). Default true. */
  readonly flowerSet: boolean;
  /** Serve celery-exporter's families (`celery_*`). Default true. */
  readonly exporterSet: boolean;
  /** Serve the agent's own process (`process_*`, `nodejs_*`). Default true. */
  readonly processSet: boolean;
  /** Replaces `celery_` in the exporter's names. Default `celery_`. */
  readonly prefix: string;
  /** Put on every series. Default none. */
  readonly staticLabels: Readonly<Record<string, string>>;
  /** `queue_name` where nothing tells the queue of a task. Default `celery`. */
  readonly defaultQueue: string;
  /** Upper bounds of both runtime histograms, seconds, ascending. Default Flower's, which are the exporter's too. */
  readonly runtimeBuckets: readonly number[];
  /** Overrides `runtimeBuckets` for the exporter's set. */
  readonly exporterRuntimeBuckets: readonly number[] | undefined;
  /** Upper bounds of the queue wait histogram, seconds, ascending. Default the exporter's. */
  readonly queueWaitBuckets: readonly number[];
  /** A worker without heartbeat for so long is shown as 0 in both sets. Default 300 s; 0 = never. */
  readonly workerTimeoutMs: number;
  /** Every series of a worker that was silent for so long is removed. Default 1 h, longer than any shipped alert's `for`; 0 = never. */
  readonly purgeOfflineMs: number;
  /** The same for senders without heartbeats, i.e. publishers. Default 24 h; 0 = never. */
  readonly producerExpiryMs: number;
  /** Label sets of a task not seen for so long are removed. Default 8 days, more than a weekly schedule; 0 = never. */
  readonly idleExpiryMs: number;
  /** Flower's set: publishers by node name, by host, or all as `generic`. Default `exact`. */
  readonly producerLabel: ProducerLabel;
  /** Exporter's set: `hostname="generic"` for task-sent. Default false. */
  readonly genericHostnameSent: boolean;
  /** Exporter's set: `hostname="generic"` for the workers' task events; up and active keep the host. Default false. */
  readonly genericHostnameWorker: boolean;
  /** Whether histograms carry the worker (`worker`, `hostname`): they are three quarters of all series. Default true. */
  readonly histogramWorkerLabel: boolean;
  /** Most label sets of one family; further ones are counted under `other`. Default 20,000; 0 = no limit. */
  readonly maxLabelSetsPerFamily: number;
  /** Most custom event types told apart; further ones are `other`. Default 50. */
  readonly maxCustomTypes: number;
  /** Most exception classes of one task name told apart; further ones are `other`. Default 50. */
  readonly maxExceptionsPerTask: number;
  /** `_created` series of counters and histograms, as Python's client has them. Default false. */
  readonly createdSeries: boolean;
  /** Queues that are always shown. Default none. */
  readonly queues: readonly string[];
  /** What the broker and the workers told longer ago is not shown. Default 45 s; three times the probe interval is meant. */
  readonly probeStaleMs: number;
  /** Shown in `umbel_build_info`. */
  readonly version: string;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

export const DEFAULT_METRICS_OPTIONS: MetricsOptions = {
  flowerSet: true,
  exporterSet: true,
  processSet: true,
  prefix: 'celery_',
  staticLabels: {},
  defaultQueue: 'celery',
  runtimeBuckets: [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
  exporterRuntimeBuckets: undefined,
  queueWaitBuckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800],
  workerTimeoutMs: 5 * MINUTE_MS,
  purgeOfflineMs: HOUR_MS,
  producerExpiryMs: DAY_MS,
  idleExpiryMs: 8 * DAY_MS,
  producerLabel: 'exact',
  genericHostnameSent: false,
  genericHostnameWorker: false,
  histogramWorkerLabel: true,
  maxLabelSetsPerFamily: 20_000,
  maxCustomTypes: 50,
  maxExceptionsPerTask: 50,
  createdSeries: false,
  queues: [],
  probeStaleMs: 45_000,
  version: 'unknown',
};

/** Fills in the defaults. Throws a `RangeError` that names the option when a value cannot be served. */
export function metricsOptions(given: Partial<MetricsOptions>): MetricsOptions {
  const options = { ...DEFAULT_METRICS_OPTIONS, ...given };
  if (!/^(?:[a-zA-Z_:][a-zA-Z0-9_:]*)?$/.test(options.prefix)) {
    throw new RangeError(`prefix: ${JSON.stringify(options.prefix)} cannot begin a metric name`);
  }
  const taken = new Set(['le', ...FAMILIES.flatMap(({ labels }) => labels)]);
  for (const label of Object.keys(options.staticLabels)) {
    if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(label)) throw new RangeError(`staticLabels: ${label} is no label name`);
    if (taken.has(label)) throw new RangeError(`staticLabels: the families have a label ${label} of their own`);
  }
  return {
    ...options,
    runtimeBuckets: bounds('runtimeBuckets', options.runtimeBuckets),
    exporterRuntimeBuckets:
      options.exporterRuntimeBuckets && bounds('exporterRuntimeBuckets', options.exporterRuntimeBuckets),
    queueWaitBuckets: bounds('queueWaitBuckets', options.queueWaitBuckets),
  };
}

/** The finite bounds: an infinite last one may be written, as Flower's option has it, and is always there. */
function bounds(option: string, given: readonly number[]): readonly number[] {
  const finite = given.filter((bound, index) => !(bound === Infinity && index === given.length - 1));
  const isAscending = finite.every((bound, i) => Number.isFinite(bound) && (i === 0 || bound > (finite[i - 1] ?? NaN)));
  if (finite.length === 0 || !isAscending) throw new RangeError(`${option}: needs ascending numbers of seconds`);
  return finite;
}
