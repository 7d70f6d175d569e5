export const WORKER_SORTS = [
  'hostname',
  'status',
  'active',
  'processed',
  'rate',
  'load',
  'maxRssBytes',
  'cpuSeconds',
] as const;
export type WorkerSort = (typeof WORKER_SORTS)[number];

export interface WorkersOptions {
  readonly sortBy: WorkerSort;
  readonly descending: boolean;
  /** Leave out workers that are offline for longer than so many minutes; 0: show all */
  readonly hideOfflineAfterMinutes: number;
  /** Selection, and the menu of commands; without it the panel only shows */
  readonly actions: boolean;
}

export const DEFAULT_OPTIONS: WorkersOptions = {
  sortBy: 'hostname',
  descending: false,
  hideOfflineAfterMinutes: 0,
  actions: true,
};
