import type { ColumnChoice } from './columnModel';

/** Saved with the dashboard. */
export interface TasksPanelOptions {
  readonly version?: 1;
  /** Columns in order; empty: the usual ones */
  readonly columns: readonly ColumnChoice[];
  /** Search box, state filter, export and bulk actions above the table */
  readonly showToolbar: boolean;
}

export const DEFAULT_OPTIONS: TasksPanelOptions = { columns: [], showToolbar: true };
