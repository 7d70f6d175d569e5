import type { TimeRange } from '@grafana/data';
import { DATASOURCE_ID } from '../../shared/ids';
import type { Group } from './model';

/**
 * Explore with the tasks of a group: a fingerprint is no variable of a dashboard.
 *
 * @returns a path below Grafana's root
 */
export function tasksUrl(uid: string, { fingerprint }: Group, { raw }: TimeRange): string {
  const text = (instant: typeof raw.from) => (typeof instant === 'string' ? instant : String(instant.valueOf()));
  const query = {
    refId: 'A',
    datasource: { type: DATASOURCE_ID, uid },
    version: 1,
    kind: 'tasks',
    filter: { fingerprint, states: ['FAILURE'] },
  };
  const panes = { failures: { datasource: uid, queries: [query], range: { from: text(raw.from), to: text(raw.to) } } };
  return `/explore?${new URLSearchParams({ schemaVersion: '1', panes: JSON.stringify(panes) }).toString()}`;
}
