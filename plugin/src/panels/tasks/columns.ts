import { t } from '@grafana/i18n';
import type { TimeZone } from '@grafana/schema';
import { formatDuration, formatInstant, UNKNOWN } from '../../shared/ui/format';
import type { ColumnId } from './columnModel';
import type { Row } from './held';

export function columnTitle(id: ColumnId): string {
  switch (id) {
    case 'timestampMs':
      return t('tasks.column.timestamp', 'Last event');
    case 'state':
      return t('tasks.column.state', 'State');
    case 'name':
      return t('tasks.column.name', 'Name');
    case 'taskId':
      return t('tasks.column.id', 'Task ID');
    case 'args':
      return t('tasks.column.args', 'Arguments');
    case 'kwargs':
      return t('tasks.column.kwargs', 'Keyword arguments');
    case 'result':
      return t('tasks.column.result', 'Result');
    case 'runtimeMs':
      return t('tasks.column.runtime', 'Runtime');
    case 'worker':
      return t('tasks.column.worker', 'Worker');
    case 'queue':
      return t('tasks.column.queue', 'Queue');
    case 'retries':
      return t('tasks.column.retries', 'Retries');
    case 'receivedMs':
      return t('tasks.column.received', 'Received');
    case 'startedMs':
      return t('tasks.column.started', 'Started');
    case 'sentMs':
      return t('tasks.column.sent', 'Sent');
    case 'exceptionType':
      return t('tasks.column.exception', 'Exception');
    case 'rootId':
      return t('tasks.column.root', 'Root ID');
    case 'parentId':
      return t('tasks.column.parent', 'Parent ID');
    case 'eta':
      return t('tasks.column.eta', 'ETA');
    case 'expires':
      return t('tasks.column.expires', 'Expires');
  }
}

export const NUMERIC: ReadonlySet<ColumnId> = new Set(['runtimeMs', 'retries']);
export const MONOSPACE: ReadonlySet<ColumnId> = new Set(['taskId', 'rootId', 'parentId', 'args', 'kwargs', 'result']);

/** What a cell says in words; the title of a cell whose text is cut. */
export function cellText(id: ColumnId, row: Row, timeZone: TimeZone): string {
  switch (id) {
    case 'timestampMs':
    case 'receivedMs':
    case 'startedMs':
    case 'sentMs':
      return formatInstant(row[id], timeZone);
    case 'runtimeMs':
      return formatDuration(row.runtimeMs);
    case 'result':
      return orUnknown(row.result ?? row.exception);
    case 'retries':
      return row.retries === null || row.retries === undefined ? '0' : String(row.retries);
    default:
      return orUnknown(row[id]);
  }
}

function orUnknown(text: string | null | undefined): string {
  return text === null || text === undefined || text === '' ? UNKNOWN : text;
}
