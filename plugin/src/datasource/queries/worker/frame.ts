import { createDataFrame, type DataFrame, FieldType, type QueryResultMetaNotice } from '@grafana/data';
import type { CommandOutcome, WorkerEvents } from '../../../shared/api';
import { column, tableFrame, truncated, warning } from '../../../shared/frames/table';
import { type LinkTargets, nameLinks, taskLinks } from '../../../shared/links';

/** Heartbeats, starts and stops of one worker, the newest first. */
export function workerEventsFrame(refId: string, { hostname, events }: WorkerEvents, limit: number): DataFrame {
  const more = `Shows the newest ${limit} events. Shorten the time range to see older ones.`;
  return tableFrame<WorkerEvents['events'][number]>(
    {
      ...{ refId, kind: 'worker-events', custom: { hostname } },
      notices: events.length >= limit ? [truncated(more)] : [],
    },
    [
      column.time('timestampMs', 'Time', { width: 200 }),
      column.text('type', 'Event', { width: 160 }),
      column.number('active', 'Active', { value: ({ fields }) => fields['active'] ?? null }),
      column.number('processed', 'Processed', { value: ({ fields }) => fields['processed'] ?? null }),
      column.other('fields', 'As sent'),
    ],
    events,
  );
}

/** What a worker answered when it was asked. */
export function inspectFrame(refId: string, show: string, outcome: CommandOutcome, links: LinkTargets): DataFrame {
  const kind = `worker-${show}`;
  const notices = noticesOf(outcome);
  const replies = outcome.answers.filter(({ ok }) => ok).map(({ reply }) => reply);
  const info = { refId, kind, notices };
  switch (show) {
    case 'active':
    case 'reserved':
    case 'scheduled':
      return tableFrame(info, requestColumns(links), listOf(replies).map(requestOf));
    case 'registered':
      return tableFrame(info, [column.text('name', 'Task', { links: nameLinks(links) })], registeredOf(replies));
    case 'queues':
      return tableFrame(
        info,
        [
          column.text('name', 'Queue'),
          column.text('routingKey', 'Routing key', {
            value: (queue: Record<string, unknown>) => asText(queue['routing_key']),
          }),
          column.text('exchange', 'Exchange', {
            value: (queue: Record<string, unknown>) => asText(asRecord(queue['exchange'])['name']),
          }),
          column.flag('durable', 'Durable'),
        ],
        listOf(replies).map(asRecord),
      );
    default:
      return settingsFrame(info, replies);
  }
}

/** Nested settings as paths and values: what `stats` and `conf` tell. */
function settingsFrame(
  info: { refId: string; kind: string; notices: QueryResultMetaNotice[] },
  replies: readonly unknown[],
): DataFrame {
  const rows = replies.flatMap((reply) => leaves(reply));
  return createDataFrame({
    refId: info.refId,
    name: info.kind,
    meta: {
      custom: { celery: info.kind },
      preferredVisualisationType: 'table',
      ...(info.notices.length === 0 ? {} : { notices: info.notices }),
    },
    fields: [
      { name: 'key', type: FieldType.string, config: { displayName: 'Setting' }, values: rows.map(([key]) => key) },
      {
        name: 'value',
        type: FieldType.string,
        config: { displayName: 'Value' },
        values: rows.map(([, value]) => value),
      },
    ],
  });
}

function leaves(value: unknown, path = ''): Array<[string, string]> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return [[path, typeof value === 'string' ? value : JSON.stringify(value)]];
  }
  return Object.entries(value).flatMap(([key, inner]) => leaves(inner, path === '' ? key : `${path}.${key}`));
}

function noticesOf({ answers, silent }: CommandOutcome): QueryResultMetaNotice[] {
  return [
    ...answers.filter(({ ok }) => !ok).map(({ worker, error }) => warning(`${worker}: ${error ?? 'refused'}`)),
    ...silent.map((worker) =>
      warning(`${worker} did not answer. Is it online, and not blocked by a long task (pool solo)?`),
    ),
  ];
}

interface Request {
  readonly taskId: string | null;
  readonly name: string | null;
  readonly args: string | null;
  readonly kwargs: string | null;
  readonly eta: string | null;
  readonly startedMs: number | null;
  readonly priority: number | null;
  readonly acknowledged: boolean | null;
  readonly pid: number | null;
}

/** A task as celery/worker/request.py `Request.info` tells it; a scheduled one is wrapped with its ETA. */
function requestOf(told: unknown): Request {
  const outer = asRecord(told);
  const inner = 'request' in outer ? asRecord(outer['request']) : outer;
  const started = inner['time_start'];
  return {
    taskId: asText(inner['id']),
    name: asText(inner['name'] ?? inner['type']),
    args: asText(inner['args']),
    kwargs: asText(inner['kwargs']),
    eta: asText(outer['eta']),
    startedMs: typeof started === 'number' ? started * 1000 : null,
    priority: asNumber(outer['priority'] ?? asRecord(inner['delivery_info'])['priority']),
    acknowledged: typeof inner['acknowledged'] === 'boolean' ? inner['acknowledged'] : null,
    pid: asNumber(inner['worker_pid']),
  };
}

function requestColumns(links: LinkTargets) {
  return [
    column.text<Request>('taskId', 'Task ID', { links: taskLinks({ ...links, tempo: undefined }), width: 300 }),
    column.text<Request>('name', 'Name', { links: nameLinks(links) }),
    column.text<Request>('args', 'Arguments'),
    column.text<Request>('kwargs', 'Keyword arguments'),
    column.time<Request>('startedMs', 'Started', { width: 180 }),
    column.text<Request>('eta', 'ETA', { width: 220 }),
    column.number<Request>('priority', 'Priority', { width: 80 }),
    column.flag<Request>('acknowledged', 'Acknowledged', { width: 120 }),
    column.number<Request>('pid', 'Process', { width: 90 }),
  ];
}

const registeredOf = (replies: readonly unknown[]) =>
  listOf(replies).map((name) => ({ name: asText(name)?.replace(/ \[.*\]$/, '') ?? '' }));
const listOf = (replies: readonly unknown[]): unknown[] =>
  replies.flatMap((reply) => (Array.isArray(reply) ? reply : []));
const asRecord = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
const asNumber = (value: unknown): number | null => (typeof value === 'number' ? value : null);

function asText(value: unknown): string | null {
  if (value === undefined || value === null) {
    return null;
  }
  return typeof value === 'string' ? value : JSON.stringify(value);
}
