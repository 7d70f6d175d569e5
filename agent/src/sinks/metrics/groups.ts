import type { HistogramSeries, Sample } from './series.ts';

/** Series of Flower's set of one (worker, task). Those not touched yet do not exist, as in Flower. */
export interface FlowerLeaf {
  readonly worker: string;
  readonly task: string;
  lastMs: number;
  /** By `EventType.index`. */
  readonly events: (Sample | undefined)[];
  runtime: HistogramSeries | undefined;
  prefetchTime: Sample | undefined;
  prefetched: Sample | undefined;
}

/** All of Flower's task series of one value of `worker`. */
export interface FlowerGroup {
  readonly worker: string;
  /** By task name. */
  readonly leaves: Map<string, FlowerLeaf>;
  /** Senders that share the value; publishers may. */
  senders: number;
}

/** Series of the exporter's set of one (name, hostname, queue_name). */
export interface ExporterLeaf {
  readonly name: string;
  readonly hostname: string;
  readonly queue: string;
  lastMs: number;
  /** By `EventType.index`, without task-sent and task-failed. */
  counters: readonly (Sample | undefined)[];
  sent: Sample | undefined;
  /** Of the task and queue, whatever the host. */
  expired: Sample | undefined;
  /** By exception class. */
  readonly failed: Map<string, Sample>;
  runtime: HistogramSeries | undefined;
  wait: HistogramSeries | undefined;
}

/** All of the exporter's task series of one value of `hostname`. */
export interface ExporterGroup {
  readonly hostname: string;
  /** By task name, then by queue. */
  readonly leaves: Map<string, Map<string, ExporterLeaf>>;
  senders: number;
  /** Those of the senders that sent a heartbeat. */
  workers: number;
}
