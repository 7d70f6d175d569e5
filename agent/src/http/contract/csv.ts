import type { ApiTask } from './schemas.ts';

/** Columns of the CSV export: the members of a task, in the order of its schema. */
export const CSV_COLUMNS: readonly (keyof ApiTask)[] = [
  'taskId',
  'name',
  'state',
  'worker',
  'client',
  'queue',
  'exchange',
  'routingKey',
  'rootId',
  'traceId',
  'parentId',
  'args',
  'kwargs',
  'result',
  'exception',
  'exceptionType',
  'traceback',
  'eta',
  'expires',
  'retries',
  'runtimeMs',
  'sentMs',
  'receivedMs',
  'startedMs',
  'succeededMs',
  'failedMs',
  'retriedMs',
  'revokedMs',
  'rejectedMs',
  'timestampMs',
  'clock',
  'pid',
  'oddities',
  'healed',
  'orphaned',
  'retriedAs',
  'markedMs',
];

export function csvHeader(): string {
  return `${CSV_COLUMNS.join(',')}\r\n`;
}

/** One line of RFC 4180. A text a spreadsheet would take for a formula gets a `'` in front. */
export function csvLine(task: ApiTask): string {
  return `${CSV_COLUMNS.map((column) => csvField(task[column])).join(',')}\r\n`;
}

function csvField(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number') return String(value);
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const harmless = /^[=+\-@\t\r\n]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
