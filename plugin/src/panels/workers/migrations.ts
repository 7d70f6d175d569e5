import { DEFAULT_OPTIONS, WORKER_SORTS, type WorkersOptions } from './types';

/** Options as a dashboard has them, of any version; what is missing or makes no sense becomes the default. */
export function migrateOptions(saved: Partial<WorkersOptions> | undefined): WorkersOptions {
  const { sortBy, descending, hideOfflineAfterMinutes: minutes, actions } = { ...DEFAULT_OPTIONS, ...saved };
  return {
    sortBy: WORKER_SORTS.includes(sortBy) ? sortBy : DEFAULT_OPTIONS.sortBy,
    descending: descending === true,
    hideOfflineAfterMinutes: Number.isFinite(minutes) && minutes >= 0 ? minutes : 0,
    actions: actions !== false,
  };
}
