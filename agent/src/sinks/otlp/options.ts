/** How and where spans and log records are sent. */
export interface OtlpOptions {
  /** Whole URLs; undefined: this signal is not sent. */
  readonly tracesUrl: string | undefined;
  readonly logsUrl: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly protocol: 'http/protobuf' | 'http/json';
  readonly compression: 'gzip' | 'none';
  /** Longest time one attempt to send a batch may take, its repetitions by the exporter included. */
  readonly timeoutMs: number;
  /** Share of the traces that are sent, 0 to 1; failures are sent always. */
  readonly sampleRatio: number;
  /** Memory for what waits, of each signal. */
  readonly queueBytes: number;
  /** Unfinished tasks whose attempts are told apart. */
  readonly maxTasks: number;
  /** Resource attributes, `service.name` among them. */
  readonly resource: Readonly<Record<string, string>>;
  /** Of the agent. */
  readonly version: string;
}

export type Signal = 'traces' | 'logs';

/** What became of a batch. */
export type Outcome =
  | { readonly kind: 'taken' }
  /** The receiver will never take it. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** It may take it later: not reachable, too slow, overloaded. */
  | { readonly kind: 'away'; readonly reason: string };

/** Sends batches of one signal; the adapter to OpenTelemetry's exporters, or a test's. */
export interface Exporter<T> {
  /** Where they go, without what could be a secret. */
  readonly displayUrl: string;
  /** Never rejects. */
  export(items: readonly T[]): Promise<Outcome>;
  close(): Promise<void>;
}
