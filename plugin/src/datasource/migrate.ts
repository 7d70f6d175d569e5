import type { DataQuery } from '@grafana/schema';
import type { CeleryQuery } from './query';

/** What a query may be that was not written by this release: Loki's derived fields hand over a text alone. */
export interface ForeignQuery extends DataQuery {
  readonly query?: string;
}

/**
 * A saved query in the shape of this release. Saved dashboards outlive releases: every shape that was ever stored has a
 * reader here. A text alone is a task's id, as a derived field of Loki or a link hands it over.
 */
export function migrateQuery(saved: CeleryQuery | ForeignQuery): CeleryQuery {
  if ('kind' in saved && typeof saved.kind === 'string') {
    return saved;
  }
  const { query, queryType: _queryType, ...rest } = saved as ForeignQuery;
  const taskId = typeof query === 'string' ? query.trim() : '';
  return taskId === '' ? { ...rest, kind: 'tasks' } : { ...rest, kind: 'task', taskId };
}
