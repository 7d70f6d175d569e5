import type { DataFrame } from '@grafana/data';
import type { Queues } from '../../../shared/api';
import { column, tableFrame, warning } from '../../../shared/frames/table';
import { type LinkTargets, queueLinks } from '../../../shared/links';

type Queue = Queues['queues'][number];

/** One row per queue; what the broker does not tell is null. */
export function queuesFrame(refId: string, { queues, problem }: Queues, nowMs: number, links: LinkTargets): DataFrame {
  const notices = problem === undefined ? [] : [warning(`Only the names of queues are known: ${problem}`)];
  return tableFrame<Queue>(
    { refId, kind: 'queues', notices, custom: { problem } },
    [
      column.text('name', 'Queue', { links: queueLinks(links) }),
      column.number('messages', 'Waiting', { decimals: 0, description: 'Ready messages of every priority' }),
      column.number('unacked', 'Unacknowledged', { decimals: 0, description: 'Held by workers, not acknowledged' }),
      column.number('consumers', 'Consumers', { decimals: 0 }),
      column.span('oldestAgeMs', 'Oldest waits', {
        value: ({ oldestMs }) => (oldestMs === undefined ? null : Math.max(nowMs - oldestMs, 0)),
      }),
      column.time('oldestMs', 'Oldest since', { hidden: true }),
      column.number('publishRate', 'In', { unit: 'suffix:/s', decimals: 1 }),
      column.number('deliverRate', 'Out', { unit: 'suffix:/s', decimals: 1 }),
    ],
    queues,
  );
}
