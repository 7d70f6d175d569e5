import { HistoryBusy, HistoryUnavailable, type HistoryReader } from '../core/query/reader.ts';

/**
 * A reader that can be handed out before the database is reached: until then it throws `HistoryUnavailable`, and
 * `HistoryBusy` for what takes long while searches are left out.
 */
export function lazyReader(
  current: () => HistoryReader | undefined,
  problem: () => string,
  shedsSearches: () => boolean,
): HistoryReader {
  const reader = (): HistoryReader => {
    const open = current();
    if (open === undefined) throw new HistoryUnavailable(problem());
    return open;
  };
  const searching = (): HistoryReader => {
    const open = reader();
    if (!shedsSearches()) return open;
    throw new HistoryBusy('The agent is behind with its events and does not search now; try again in a minute.');
  };
  return {
    searchTasks: async (...args) => searching().searchTasks(...args),
    listTasks: async (...args) => searching().listTasks(...args),
    exportTasks: (...args) => searching().exportTasks(...args),
    countTasks: async (...args) => searching().countTasks(...args),
    findTask: async (...args) => reader().findTask(...args),
    taskTimeline: async (...args) => reader().taskTimeline(...args),
    childrenOf: async (...args) => reader().childrenOf(...args),
    workflow: async (...args) => reader().workflow(...args),
    taskNames: async () => reader().taskNames(),
    series: async (...args) => searching().series(...args),
    failures: async (...args) => searching().failures(...args),
    workers: async () => reader().workers(),
    events: async (...args) => searching().events(...args),
    workerEvents: async (...args) => reader().workerEvents(...args),
    queueNames: async () => reader().queueNames(),
    gaps: async (...args) => reader().gaps(...args),
  };
}
