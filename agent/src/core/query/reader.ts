import type { EventFilter, EventPage } from './events.ts';
import type { SeriesQuery, TaskFilter, TaskSort } from './filter.ts';
import type {
  FailureGroup,
  FailureTrend,
  GapRecord,
  TaskEventRecord,
  TaskRecord,
  TimeSeries,
  WorkerEventRecord,
  WorkerRecord,
} from './records.ts';

export interface TaskPage {
  readonly tasks: readonly TaskRecord[];
  /** Opaque; absent on the last page. */
  readonly nextCursor?: string;
}

/** Thrown when a cursor was not made by this sort and filter, or a query ran into its time limit. */
export class QueryError extends Error {
  readonly code: 'bad-cursor' | 'timeout';
  readonly field: string | undefined;

  constructor(code: 'bad-cursor' | 'timeout', message: string, field?: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.field = field;
  }
}

/** Thrown by every method while Postgres cannot be asked; the API answers 503. */
export class HistoryUnavailable extends Error {}

/** It could be asked, but is not to be: too many ask at once, or events matter more now. The message is for whoever asked. */
export class HistoryBusy extends HistoryUnavailable {}

/** All that the API asks of the history. Implemented by sinks/history over Postgres. */
export interface HistoryReader {
  /** Keyset paging; ties are broken by task id. */
  searchTasks(filter: TaskFilter, sort: TaskSort, limit: number, cursor?: string): Promise<TaskPage>;
  /** Flower's listing: offset paging, missing sort values first when ascending, ties by id. `limit` undefined = all. */
  listTasks(filter: TaskFilter, sort: TaskSort, limit: number | undefined, offset: number): Promise<TaskRecord[]>;
  /** Streams every match in the order of `sort`, with constant memory on both sides; stops when the iterator is left. */
  exportTasks(filter: TaskFilter, sort: TaskSort, limit: number): AsyncIterable<TaskRecord>;
  countTasks(filter: TaskFilter, limit: number): Promise<number>;
  findTask(taskId: string): Promise<TaskRecord | undefined>;
  /** In order of attempt, then worker clock and time; at most `limit` (default 1000). */
  taskTimeline(taskId: string, limit?: number): Promise<TaskEventRecord[]>;
  /** Ids of the tasks whose `parent_id` is one of these. */
  childrenOf(taskIds: readonly string[]): Promise<Map<string, string[]>>;
  /** Every task of the workflows with these roots, roots first; at most `limit`. */
  workflow(rootIds: readonly string[], limit: number): Promise<TaskRecord[]>;
  /** All names ever seen within the retention, sorted. */
  taskNames(): Promise<string[]>;
  series(query: SeriesQuery): Promise<TimeSeries[]>;
  /** Largest first. @param trend steps in which the failures of each group are counted */
  failures(filter: TaskFilter, limit: number, trend?: FailureTrend): Promise<FailureGroup[]>;
  workers(): Promise<WorkerRecord[]>;
  /** Of tasks and workers, newest first; keyset paging. */
  events(filter: EventFilter, limit: number, cursor?: string): Promise<EventPage>;
  /** Newest first. */
  workerEvents(hostname: string, fromMs: number, toMs: number, limit: number): Promise<WorkerEventRecord[]>;
  /** Queue names seen on tasks within the retention, sorted. */
  queueNames(): Promise<string[]>;
  /** Newest first. */
  gaps(fromMs: number, toMs: number, limit: number): Promise<GapRecord[]>;
}
