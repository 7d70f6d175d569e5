import { type DataFrame, MappingType, type ValueMapping } from '@grafana/data';
import type { Audit } from '../../../shared/api';
import { column, tableFrame, truncated } from '../../../shared/frames/table';

type Entry = Audit['entries'][number];

const OUTCOMES: ValueMapping[] = [
  {
    type: MappingType.ValueToText,
    options: {
      ok: { color: 'green', text: 'ok', index: 0 },
      failed: { color: 'red', text: 'failed', index: 1 },
      refused: { color: 'orange', text: 'refused', index: 2 },
    },
  },
];

/** Who did what, the newest first. */
export function auditFrame(refId: string, entries: readonly Entry[], isCut: boolean): DataFrame {
  const more = `Shows the newest ${entries.length} entries. Narrow the filter or the time range, or raise the limit.`;
  return tableFrame<Entry>(
    { refId, kind: 'audit', notices: isCut ? [truncated(more)] : [] },
    [
      column.time('atMs', 'Time', { width: 200 }),
      column.text('user', 'User', { value: ({ principal }) => principal.grafanaUser?.login ?? principal.name }),
      column.flag('verified', 'Verified', {
        ...{ width: 90, description: 'The name was proven, not merely told by a proxy' },
        value: ({ principal }) => principal.grafanaUser?.verified ?? principal.verified,
      }),
      column.text('role', 'Role', { width: 80, value: ({ principal }) => principal.role }),
      column.text('action', 'Action', { width: 180 }),
      column.text('target', 'Target'),
      column.text('outcome', 'Outcome', { mappings: OUTCOMES, width: 90 }),
      column.text('detail', 'Detail'),
      column.other('arguments', 'Arguments'),
      column.text('address', 'Address', { width: 130 }),
      column.text('via', 'Signed in by', { hidden: true, value: ({ principal }) => principal.via }),
      column.text('token', 'Token', { hidden: true, value: ({ principal }) => principal.name }),
      column.number('id', 'ID', { hidden: true }),
    ],
    entries,
  );
}
