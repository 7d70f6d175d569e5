import { type LogRowContextOptions, LogRowContextQueryDirection, type LogRowModel } from '@grafana/data';
import { map, type Observable } from 'rxjs';
import type { AgentClient } from '../../../shared/client';
import type { EventsQuery } from '../../query';
import type { Event } from './frame';
import { liveId } from './live';

/** A task may wait for its ETA for long; its events are found by its id, whatever the range. */
const AROUND_MS = 30 * 86_400_000;
const USUAL_ROWS = 100;
/** Of a worker itself; heartbeats every two seconds would hide the rest. */
const WORKER_TYPES = ['worker-online', 'worker-offline', 'worker-lost'];

/** Whose events are the context of a line: those of its task, or of its worker where it is of none. */
export function contextQuery({ labels }: Pick<LogRowModel, 'labels'>, refId: string): EventsQuery {
  const { task_id: taskId, worker = '' } = labels;
  return taskId === undefined
    ? { refId, kind: 'events', filter: { workers: [worker] }, types: WORKER_TYPES }
    : { refId, kind: 'events', taskId };
}

/** The events next to a line, before or after it: the newest first, the line itself not among them. */
export function contextEvents(
  client: Pick<AgentClient, 'events'>,
  row: Pick<LogRowModel, 'labels' | 'timeEpochMs' | 'rowId'>,
  { direction, limit = USUAL_ROWS }: LogRowContextOptions = {},
): Observable<Event[]> {
  const isAfter = direction === LogRowContextQueryDirection.Forward;
  const { taskId, filter, types } = contextQuery(row, '');
  const atMs = Math.floor(row.timeEpochMs);
  const range = isAfter ? { from: atMs, to: atMs + AROUND_MS } : { from: Math.max(atMs - AROUND_MS, 0), to: atMs + 1 };
  const params = {
    ...{ from: String(range.from), to: String(range.to), order: isAfter ? 'asc' : 'desc', limit: limit + 1 },
    ...{ taskId, workers: filter?.workers, types },
  };
  return client.events(params).pipe(
    map(({ events }) => {
      // Only the id tells lines of one millisecond apart.
      const self = events.findIndex((event) => event.id === row.rowId || liveId(event) === row.rowId);
      const next = events.slice(self + 1, self + 1 + limit);
      return isAfter ? next.reverse() : next;
    }),
  );
}
