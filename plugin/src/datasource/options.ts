import type { DataSourceJsonData } from '@grafana/data';

/** Settings of the data source that every browser may see. */
export interface CeleryOptions extends DataSourceJsonData {
  /** Uids of the data sources that tasks, logs and traces link to */
  readonly prometheusUid?: string;
  readonly lokiUid?: string;
  readonly tempoUid?: string;
  /** Seconds until Grafana gives up on an answer of the agent */
  readonly timeout?: number;
}

/** Kept by Grafana, never sent to a browser. */
export interface CelerySecureOptions {
  readonly token?: string;
}
