import { chosenColumns, type ColumnChoice } from './columnModel';
import { DEFAULT_OPTIONS, type TasksPanelOptions } from './options';

/** Reads options as any release has saved them, or as somebody has written them by hand. */
export function migrateOptions(saved: Partial<TasksPanelOptions> | undefined): TasksPanelOptions {
  const { columns, showToolbar = DEFAULT_OPTIONS.showToolbar } = saved ?? {};
  return { version: 1, columns: readColumns(columns), showToolbar };
}

/** None stays none: the usual columns, whatever they are in this release. */
function readColumns(columns: unknown): readonly ColumnChoice[] {
  return Array.isArray(columns) && columns.length > 0 ? chosenColumns(columns as ColumnChoice[]) : [];
}
