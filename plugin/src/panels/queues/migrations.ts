import { DEFAULT_OPTIONS, QUEUE_SORTS, type QueuesOptions } from './types';

/** Options as a dashboard has them, of any version; what is missing or makes no sense becomes the default. */
export function migrateOptions(saved: Partial<QueuesOptions> | undefined): QueuesOptions {
  const { sortBy, descending, hideEmpty, workers } = { ...DEFAULT_OPTIONS, ...saved };
  return {
    sortBy: QUEUE_SORTS.includes(sortBy) ? sortBy : DEFAULT_OPTIONS.sortBy,
    descending: descending !== false,
    hideEmpty: hideEmpty === true,
    workers: workers !== false,
  };
}
