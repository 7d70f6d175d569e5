import type { PanelData } from '@grafana/data';

/** What went wrong with a panel's queries, in the words of the data source. */
export function errorOf({ errors, error }: PanelData): string | undefined {
  const first = errors?.[0] ?? error;
  return first?.message ?? first?.data?.message ?? first?.statusText;
}
