import { t } from '@grafana/i18n';

/** How the groups are ordered. */
export const FAILURE_SORTS = ['count', 'last', 'new'] as const;
export type FailureSort = (typeof FAILURE_SORTS)[number];

/** Saved with the dashboard. */
export interface FailuresPanelOptions {
  readonly version?: 1;
  readonly sortBy: FailureSort;
}

export const DEFAULT_OPTIONS: FailuresPanelOptions = { sortBy: 'count' };

/** Reads options as any release has saved them; what makes no sense becomes the default. */
export function migrateOptions(saved: Partial<FailuresPanelOptions> | undefined): FailuresPanelOptions {
  const sortBy = FAILURE_SORTS.find((sort) => sort === saved?.sortBy) ?? DEFAULT_OPTIONS.sortBy;
  return { version: 1, sortBy };
}

export function sortOptions(): Array<{ label: string; value: FailureSort; description: string }> {
  return [
    {
      value: 'count',
      label: t('failures.sort-count', 'Count'),
      description: t('failures.sort-count-help', 'The most frequent first'),
    },
    {
      value: 'last',
      label: t('failures.sort-last', 'Last seen'),
      description: t('failures.sort-last-help', 'The latest first'),
    },
    {
      value: 'new',
      label: t('failures.sort-new', 'New'),
      description: t('failures.sort-new-help', 'Those that began last first'),
    },
  ];
}
