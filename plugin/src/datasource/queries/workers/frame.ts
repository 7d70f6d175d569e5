import type { DataFrame } from '@grafana/data';
import type { Worker } from '../../../shared/api';
import { ONLINE_MAPPINGS } from '../../../shared/frames/states';
import { type Column, column, tableFrame } from '../../../shared/frames/table';
import { type LinkTargets, workerLinks } from '../../../shared/links';

const hidden = true;

export function workerColumns(links: LinkTargets): Array<Column<Worker>> {
  return [
    column.text('hostname', 'Worker', { links: workerLinks(links) }),
    column.flag('online', 'Status', { mappings: ONLINE_MAPPINGS, width: 90 }),
    column.number('active', 'Active', { decimals: 0, width: 80 }),
    column.number('processed', 'Processed', { decimals: 0, width: 100 }),
    column.number('load1', 'Load', { decimals: 2, width: 80, value: ({ loadavg }) => loadavg?.[0] ?? null }),
    column.other('queues', 'Queues'),
    column.text('pool', 'Pool', { width: 110 }),
    column.number('concurrency', 'Concurrency', { decimals: 0, width: 110 }),
    column.other('autoscale', 'Autoscale', { hidden }),
    column.number('prefetch', 'Prefetch', { decimals: 0, width: 90 }),
    column.number('maxRssBytes', 'Memory', { unit: 'bytes', width: 100, description: 'Peak of the main process' }),
    column.number('cpuSeconds', 'CPU time', { unit: 's', width: 100, description: 'Of the main process' }),
    column.time('lastHeartbeatMs', 'Last heartbeat', { width: 180 }),
    column.time('inspectedMs', 'Last told', { hidden }),
    column.time('firstSeenMs', 'First seen', { hidden }),
    column.span('uptimeMs', 'Uptime', { hidden }),
    column.number('pid', 'Process', { hidden }),
    column.span('heartbeatEveryMs', 'Heartbeat interval', { hidden }),
    column.other('loadavg', 'Load averages', { hidden }),
    column.text('software', 'Software', { hidden }),
    column.text('softwareVersion', 'Version', { width: 90 }),
    column.text('system', 'System', { hidden }),
    column.number('clock', 'Clock', { hidden }),
  ];
}

/** One row per worker. `kind` is `worker-detail` for one alone. */
export function workersFrame(
  refId: string,
  workers: readonly Worker[],
  links: LinkTargets,
  info: { readonly kind?: string; readonly live?: string } = {},
): DataFrame {
  const { kind = 'workers', live } = info;
  return tableFrame({ refId, kind, custom: { live } }, workerColumns(links), workers);
}
