export const QUEUE_SORTS = [
  'name',
  'messages',
  'oldestMs',
  'unacked',
  'consumers',
  'publishRate',
  'deliverRate',
] as const;
export type QueueSort = (typeof QUEUE_SORTS)[number];

export interface QueuesOptions {
  readonly sortBy: QueueSort;
  readonly descending: boolean;
  /** Leave out queues in which nothing waits and nothing is unacknowledged */
  readonly hideEmpty: boolean;
  /** The column of workers that consume each queue */
  readonly workers: boolean;
}

export const DEFAULT_OPTIONS: QueuesOptions = {
  sortBy: 'messages',
  descending: true,
  hideEmpty: false,
  workers: true,
};
