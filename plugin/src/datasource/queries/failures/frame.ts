import type { DataFrame } from '@grafana/data';
import type { Failures, TaskFilter } from '../../../shared/api';
import { column, tableFrame, truncated } from '../../../shared/frames/table';
import { type LinkTargets, taskLinks } from '../../../shared/links';

type Group = Failures['groups'][number];

/** One row per kind of failure, the most frequent first. */
export function failuresFrame(
  refId: string,
  { groups, trendFromMs, trendStepMs }: Failures,
  info: { readonly filter: TaskFilter; readonly limit: number },
  links: LinkTargets,
): DataFrame {
  const more = `Shows the ${info.limit} largest groups. Narrow the filter or the time range, or raise the limit.`;
  return tableFrame<Group>(
    {
      ...{ refId, kind: 'failures', custom: { filter: info.filter, trendFromMs, trendStepMs } },
      notices: groups.length > info.limit ? [truncated(more)] : [],
    },
    [
      column.text('exceptionType', 'Exception'),
      column.text('message', 'Message'),
      column.number('count', 'Failures', { width: 100, decimals: 0 }),
      column.time('firstMs', 'First', { width: 180 }),
      column.time('lastMs', 'Last', { width: 180 }),
      column.other('names', 'Task names'),
      column.text('sampleTaskId', 'Sample', { links: taskLinks({ ...links, tempo: undefined }), width: 300 }),
      column.text('sampleTraceback', 'Traceback', { hidden: true }),
      column.text('fingerprint', 'Fingerprint', { hidden: true }),
      column.other('trend', 'Trend', { hidden: true }),
    ],
    groups.slice(0, info.limit),
  );
}
