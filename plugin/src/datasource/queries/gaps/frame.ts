import type { DataFrame } from '@grafana/data';
import type { Gaps } from '../../../shared/api';
import { column, tableFrame, truncated } from '../../../shared/frames/table';

type Gap = Gaps['gaps'][number];

/** Times in which the agent could not hear events, the newest first. */
export function gapsFrame(refId: string, { gaps }: Gaps, info: { nowMs: number; limit: number }): DataFrame {
  const more = `Shows the newest ${info.limit} gaps. Shorten the time range to see older ones.`;
  return tableFrame<Gap>(
    { refId, kind: 'gaps', notices: gaps.length >= info.limit ? [truncated(more)] : [] },
    [
      column.time('fromMs', 'From'),
      column.time('toMs', 'To'),
      column.span('durationMs', 'Duration', { value: ({ fromMs, toMs }) => (toMs ?? info.nowMs) - fromMs }),
      column.text('cause', 'Cause'),
      column.text('agent', 'Agent'),
      column.text('coveredBy', 'Covered by'),
      column.other('healed', 'Healed'),
      column.number('id', 'ID', { hidden: true }),
    ],
    gaps,
  );
}
