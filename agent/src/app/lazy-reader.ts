import { HistoryUnavailable, type HistoryReader } from '../core/query/reader.ts';

/** A reader that can be handed out before the database is reached: until then it throws `HistoryUnavailable`. */
export function lazyReader(current: () => HistoryReader | undefined, problem: () => string): HistoryReader {
  const reader = (): HistoryReader => {
    const open = current();
    if (open === undefined) throw new HistoryUnavailable(problem());
    return open;
  };
  return {
    searchTasks: async (...args) => reader().searchTasks(...args),
    listTasks: async (...args) => reader().listTasks(...args),
    exportTasks: (...args) => reader().exportTasks(...args),
    countTasks: async (...args) => reader().countTasks(...args),
    findTask: async (...args) => reader().findTask(...args),
    taskTimeline: async (...args) => reader().taskTimeline(...args),
    childrenOf: async (...args) => reader().childrenOf(...args),
    workflow: async (...args) => reader().workflow(...args),
    taskNames: async () => reader().taskNames(),
    series: async (...args) => reader().series(...args),
    failures: async (...args) => reader().failures(...args),
    workers: async () => reader().workers(),
    events: async (...args) => reader().events(...args),
    workerEvents: async (...args) => reader().workerEvents(...args),
    queueNames: async () => reader().queueNames(),
    gaps: async (...args) => reader().gaps(...args),
  };
}
