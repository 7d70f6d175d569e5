import { createDataFrame, type DataFrame, DataFrameType, FieldType, type QueryResultMetaNotice } from '@grafana/data';
import type { Events } from '../../../shared/api';
import { type LinkTargets, nameLinks, taskLinks, workerLinks } from '../../../shared/links';

export type Event = Events['events'][number];

const SEVERITIES: Readonly<Record<string, string>> = {
  'task-failed': 'error',
  'task-rejected': 'error',
  'task-retried': 'warning',
  'task-revoked': 'warning',
  'worker-offline': 'warning',
  'worker-lost': 'error',
  'worker-heartbeat': 'debug',
  'task-sent': 'debug',
  'task-received': 'debug',
};

/** Colour and level of a line in Grafana's logs. */
export function severityOf(type: string): string {
  return SEVERITIES[type] ?? 'info';
}

/** As Grafana's logs read it: a line per event, its labels and links in the details. */
export function eventsFrame(
  refId: string,
  events: readonly Event[],
  links: LinkTargets,
  info: { readonly notices?: QueryResultMetaNotice[]; readonly live?: string } = {},
): DataFrame {
  const { notices = [], live } = info;
  return createDataFrame({
    refId,
    name: 'events',
    meta: {
      type: DataFrameType.LogLines,
      preferredVisualisationType: 'logs',
      custom: { celery: 'events', live },
      ...(notices.length === 0 ? {} : { notices }),
    },
    fields: [
      { name: 'timestamp', type: FieldType.time, config: {}, values: events.map(({ timestampMs }) => timestampMs) },
      { name: 'body', type: FieldType.string, config: {}, values: events.map(bodyOf) },
      { name: 'severity', type: FieldType.string, config: {}, values: events.map(({ type }) => severityOf(type)) },
      { name: 'id', type: FieldType.string, config: {}, values: events.map(({ id }) => id) },
      { name: 'labels', type: FieldType.other, config: {}, values: events.map(labelsOf) },
      {
        ...{ name: 'taskId', type: FieldType.string, values: events.map(({ taskId }) => taskId) },
        config: { displayName: 'Task ID', links: taskLinks({ ...links, tempo: undefined }) },
      },
      {
        ...{ name: 'name', type: FieldType.string, values: events.map(({ name }) => name) },
        config: { displayName: 'Name', links: nameLinks(links) },
      },
      {
        ...{ name: 'worker', type: FieldType.string, values: events.map(({ worker }) => worker) },
        config: { displayName: 'Worker', links: workerLinks(links) },
      },
      {
        ...{ name: 'fields', type: FieldType.string, values: events.map(({ fields }) => JSON.stringify(fields)) },
        config: { displayName: 'As sent' },
      },
    ],
  });
}

function labelsOf({ type, worker, name, taskId }: Event): Record<string, string> {
  return {
    type,
    worker,
    ...(name === null ? {} : { name }),
    ...(taskId === null ? {} : { task_id: taskId }),
  };
}

/** What a reader looks for first in an event of each type; the rest stands in the details. */
function bodyOf({ type, worker, name, taskId, fields }: Event): string {
  const what = taskId === null ? worker : `${name ?? 'unknown'}[${taskId}]`;
  const told = detailOf(type, fields);
  return [type, what, ...(told === '' ? [] : [told])].join(' ');
}

function detailOf(type: string, fields: Event['fields']): string {
  const text = (key: string) => (fields[key] === undefined || fields[key] === null ? '' : String(fields[key]));
  switch (type) {
    case 'task-sent':
    case 'task-received':
      return [text('args'), text('kwargs')].filter((part) => part !== '').join(' ');
    case 'task-succeeded':
      return [`in ${Number(fields['runtime'] ?? 0).toFixed(3)} s`, text('result')]
        .filter((part) => part !== '')
        .join(': ');
    case 'task-failed':
    case 'task-retried':
      return [text('exception'), text('traceback')].filter((part) => part !== '').join('\n');
    case 'task-revoked':
      return fields['terminated'] === true
        ? `terminated by ${text('signum')}`
        : fields['expired'] === true
          ? 'expired'
          : '';
    default:
      return '';
  }
}
