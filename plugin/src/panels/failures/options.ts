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
