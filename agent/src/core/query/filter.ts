import type { SearchNode } from './search.ts';

/** Which tasks; every member given narrows (AND), the values of one list widen (OR). */
export interface TaskFilter {
  readonly ids?: readonly string[];
  /** Exact names, here and of workers, queues and exceptions; a trailing or leading `*` makes it a prefix or suffix. */
  readonly names?: readonly string[];
  readonly states?: readonly string[];
  readonly workers?: readonly string[];
  readonly queues?: readonly string[];
  readonly rootId?: string;
  readonly parentId?: string;
  readonly exceptionTypes?: readonly string[];
  /** What must not be; tasks of which it is not known pass. */
  readonly notNames?: readonly string[];
  readonly notStates?: readonly string[];
  readonly notWorkers?: readonly string[];
  readonly notQueues?: readonly string[];
  readonly notExceptionTypes?: readonly string[];
  /** `FailureGroup.fingerprint`. */
  readonly fingerprint?: string;
  /** On `timestamp`, epoch ms: from inclusive, to exclusive. */
  readonly fromMs?: number;
  readonly toMs?: number;
  /** On `received`, epoch seconds, both inclusive; tasks without `received` pass, unless `receivedOnly` (Flower's rule). */
  readonly receivedFrom?: number;
  readonly receivedTo?: number;
  readonly receivedOnly?: boolean;
  /** Seconds, inclusive. */
  readonly runtimeMin?: number;
  readonly runtimeMax?: number;
  /** Case-insensitive substring of the one column. */
  readonly argsText?: string;
  readonly kwargsText?: string;
  readonly resultText?: string;
  readonly exceptionText?: string;
  /** Whether nobody works on it any more: `TaskRecord.orphaned`. */
  readonly orphaned?: boolean;
  /** Whether its state was read elsewhere: `TaskRecord.healed`. */
  readonly healed?: boolean;
  /** Flower's search syntax, parsed. */
  readonly search?: SearchNode;
}

export type TaskSortKey = 'timestamp' | 'name' | 'state' | 'received' | 'started' | 'runtime' | 'worker';

export interface TaskSort {
  readonly key: TaskSortKey;
  readonly descending: boolean;
}

export type SeriesDimension = 'name' | 'worker' | 'queue' | 'state';
export type SeriesColumn = 'count' | 'rate' | 'p50' | 'p95' | 'p99';

/** A week of minutes: more points than any panel has pixels. */
export const MOST_SERIES_STEPS = 11_000;

export interface SeriesQuery {
  readonly fromMs: number;
  readonly toMs: number;
  /** A whole number of minutes: the roll-ups are by minute. */
  readonly stepMs: number;
  readonly by: readonly SeriesDimension[];
  readonly columns: readonly SeriesColumn[];
  readonly names?: readonly string[];
  readonly workers?: readonly string[];
  readonly queues?: readonly string[];
  /** States as in `TaskRecord.state`: counts the events that lead to them (`SUCCESS` = task-succeeded). */
  readonly states?: readonly string[];
  readonly notNames?: readonly string[];
  readonly notWorkers?: readonly string[];
  readonly notQueues?: readonly string[];
  readonly notStates?: readonly string[];
  /** Most series in the answer; the largest stay. */
  readonly limit: number;
}
