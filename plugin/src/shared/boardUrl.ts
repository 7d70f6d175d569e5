import { locationUtil, type RawTimeRange } from '@grafana/data';
import { locationService } from '@grafana/runtime';
import type { DASHBOARD_UIDS } from './ids';
import { dashboardUrl, type Variables } from './links';

/**
 * Where a dashboard of the app is, below Grafana's root, with the time range and the variables that are set where the
 * link stands.
 *
 * @param uid of the data source, which that dashboard shows too
 * @param variables what the link sets itself
 */
export function boardUrl(
  uid: string,
  board: keyof typeof DASHBOARD_UIDS,
  variables: Variables,
  range?: RawTimeRange,
): string {
  const url = dashboardUrl(uid, board, variables, range === undefined ? undefined : rangeText(range));
  return locationUtil.assureBaseUrl(keepVariables(url));
}

function rangeText({ from, to }: RawTimeRange): string {
  return new URLSearchParams({ from: instantText(from), to: instantText(to) }).toString();
}

/** `now-1h`, or epoch ms. */
export function instantText(instant: RawTimeRange['from']): string {
  return typeof instant === 'string' ? instant : String(instant.valueOf());
}

/** But for those that the link sets itself. */
function keepVariables(url: string): string {
  const own = new URLSearchParams(url.split('?')[1] ?? '');
  const kept = [...locationService.getSearch()].filter(([name]) => name.startsWith('var-') && !own.has(name));
  const text = new URLSearchParams(kept).toString();
  return text === '' ? url : `${url}&${text}`;
}
