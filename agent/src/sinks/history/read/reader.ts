import type { Pool } from 'pg';
import type { EventFilter } from '../../../core/query/events.ts';
import type { SeriesQuery, TaskFilter, TaskSort } from '../../../core/query/filter.ts';
import type { HistoryReader, TaskPage } from '../../../core/query/reader.ts';
import type { FailureTrend, TaskRecord } from '../../../core/query/records.ts';
import type { Clock } from '../../../lib/clock.ts';
import type { Gate } from '../../../lib/gate.ts';
import type { Logger } from '../../../lib/logger.ts';
import { keyId } from '../safe-values.ts';
import { readEvents } from './event-list.ts';
import { readTimeline, readWorkerEvents } from './events.ts';
import { exportRows } from './export.ts';
import { readFailures } from './failures.ts';
import { indexedSql, needsCheck, scannedSql, whereSql } from './filter-sql.ts';
import { readChildren, readGaps, readQueueNames, readTaskNames, readWorkers } from './listings.ts';
import { decodeCursor, encodeCursor } from './order.ts';
import { readSeries } from './series.ts';
import { type Plans, type Session, Sessions } from './session.ts';
import { isStorable, Params } from './sql.ts';
import { contextOf, lookUpIds, positionOf, readTasks } from './task-query.ts';
import { TASK_COLUMNS, type TaskRow, toTaskRecord } from './task-row.ts';

export interface HistoryReaderOptions {
  readonly pool: Pool;
  /** Judges which workers are online. */
  readonly clock: Clock;
  readonly logger: Logger;
  /** Limit of one statement on the server, ms; beyond it: QueryError `timeout`. */
  readonly statementTimeoutMs: number;
  /** Bounds the transactions at once; default: the pool alone does. */
  readonly gate?: Gate | undefined;
}

const DEFAULT_TIMELINE = 1000;
const NEWEST_FIRST: TaskSort = { key: 'timestamp', descending: true };

/**
 * The history's read side over Postgres. Needs no connection until it is asked. Every method works in one read-only
 * transaction; see `HistoryReader` for what each promises and throws.
 */
export function openHistoryReader(options: HistoryReaderOptions): HistoryReader {
  return new PostgresReader(options);
}

class PostgresReader implements HistoryReader {
  readonly #sessions: Sessions;
  readonly #clock: Clock;

  constructor(options: HistoryReaderOptions) {
    this.#sessions = new Sessions(options);
    this.#clock = options.clock;
  }

  async searchTasks(filter: TaskFilter, sort: TaskSort, limit: number, cursor?: string): Promise<TaskPage> {
    const after = cursor === undefined ? undefined : decodeCursor(sort, cursor);
    return this.#sessions.use(async (session) => {
      const knownIds = await lookUpIds(session, filter);
      // One more than asked for tells whether there is another page.
      const rows = await readTasks(session, { filter, sort, knownIds }, limit + 1, after);
      const page = rows.slice(0, limit);
      const last = page.at(-1);
      const tasks = page.map(toTaskRecord);
      if (rows.length <= limit || last === undefined) return { tasks };
      return { tasks, nextCursor: encodeCursor(sort, positionOf(last)) };
    });
  }

  async listTasks(
    filter: TaskFilter,
    sort: TaskSort,
    limit: number | undefined,
    offset: number,
  ): Promise<TaskRecord[]> {
    if (limit === undefined) return this.#listAll(filter, sort, offset);
    if (limit <= 0) return [];
    return this.#sessions.use(async (session) => {
      const knownIds = await lookUpIds(session, filter);
      const rows = await readTasks(session, { filter, sort, knownIds }, offset + limit);
      return rows.slice(offset).map(toTaskRecord);
    });
  }

  async *exportTasks(filter: TaskFilter, sort: TaskSort, limit: number): AsyncGenerator<TaskRecord, void, undefined> {
    for await (const row of exportRows(this.#sessions, filter, sort, limit)) yield toTaskRecord(row);
  }

  async countTasks(filter: TaskFilter, limit: number): Promise<number> {
    if (needsCheck(filter)) {
      let count = 0;
      for await (const row of exportRows(this.#sessions, filter, NEWEST_FIRST, limit))
        count += row.task_id === '' ? 0 : 1;
      return count;
    }
    return this.#sessions.use(async (session) => {
      const params = new Params();
      const context = contextOf(session, { knownIds: await lookUpIds(session, filter) }, params);
      const where = whereSql([...indexedSql(filter, context), ...scannedSql(filter, context)]);
      const rows = await session.rows<{ count: number }>(
        `select count(*)::int as count
          from (select 1 from celery_tasks t ${where} limit ${params.add(limit)}::bigint) counted`,
        params.values,
      );
      return rows[0]?.count ?? 0;
    });
  }

  async findTask(taskId: string): Promise<TaskRecord | undefined> {
    const rows = await this.#use(
      (session) =>
        session.prepared<TaskRow>(
          'find-task',
          `select ${TASK_COLUMNS} from celery_tasks t where t.task_id = $1::text order by t.seen_on desc limit 1`,
          [keyId(taskId)],
        ),
      'kept',
    );
    return rows.map(toTaskRecord)[0];
  }

  taskTimeline(taskId: string, limit = DEFAULT_TIMELINE) {
    return this.#use((session) => readTimeline(session, taskId, limit), 'kept');
  }

  childrenOf(taskIds: readonly string[]) {
    return this.#use((session) => readChildren(session, taskIds), 'kept');
  }

  async workflow(rootIds: readonly string[], limit: number): Promise<TaskRecord[]> {
    const roots = rootIds.filter(isStorable);
    if (roots.length === 0) return [];
    const rows = await this.#use((session) =>
      session.rows<TaskRow>(
        `select ${TASK_COLUMNS} from celery_tasks t
          where t.task_id = any($1::text[]) or (t.root_id = any($1::text[]) and t.root_id <> t.task_id)
          order by t.task_id = any($1::text[]) desc, coalesce(t.sent, t.received, t.started, t.timestamp), t.task_id
          limit $2::bigint`,
        [roots, limit],
      ),
    );
    return rows.map(toTaskRecord);
  }

  taskNames() {
    return this.#use(readTaskNames);
  }

  series(query: SeriesQuery) {
    return this.#use((session) => readSeries(session, query));
  }

  async failures(filter: TaskFilter, limit: number, trend?: FailureTrend) {
    const narrowed = needsCheck(filter) ? { ids: await this.#checkedIds(filter) } : filter;
    return this.#use(async (session) => {
      const knownIds = await lookUpIds(session, narrowed);
      return readFailures(session, narrowed, { knownIds }, limit, trend);
    });
  }

  workers() {
    return this.#use((session) => readWorkers(session, this.#clock.now()));
  }

  events(filter: EventFilter, limit: number, cursor?: string) {
    return this.#use((session) => readEvents(session, filter, limit, cursor));
  }

  workerEvents(hostname: string, fromMs: number, toMs: number, limit: number) {
    return this.#use((session) => readWorkerEvents(session, hostname, fromMs, toMs, limit));
  }

  queueNames() {
    return this.#use(readQueueNames, 'kept');
  }

  gaps(fromMs: number, toMs: number, limit: number) {
    return this.#use((session) => readGaps(session, fromMs, toMs, limit));
  }

  #use<T>(work: (session: Session) => Promise<T>, plans?: Plans): Promise<T> {
    return this.#sessions.use(work, plans);
  }

  async #listAll(filter: TaskFilter, sort: TaskSort, offset: number): Promise<TaskRecord[]> {
    const tasks: TaskRecord[] = [];
    let left = offset;
    for await (const task of this.exportTasks(filter, sort, Infinity)) {
      if (left > 0) left -= 1;
      else tasks.push(task);
    }
    return tasks;
  }

  /** Ids of the tasks that pass a filter which SQL alone cannot decide. */
  async #checkedIds(filter: TaskFilter): Promise<string[]> {
    const ids: string[] = [];
    for await (const row of exportRows(this.#sessions, filter, NEWEST_FIRST, Infinity)) ids.push(row.task_id);
    return ids;
  }
}
