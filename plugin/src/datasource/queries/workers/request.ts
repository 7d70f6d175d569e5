import { map } from 'rxjs';
import type { Worker } from '../../../shared/api';
import { covers } from '../adhoc';
import type { Kind } from '../kind';
import { workersFrame } from './frame';

export const workersKind: Kind<'workers'> = {
  text: ({ workers = [] }) => `Workers ${workers.join(', ')}`.trim(),
  run: ({ workers = [] }, { client, refId, requestId, links }) =>
    client
      .workers({}, requestId)
      .pipe(map((answer) => ({ frames: [workersFrame(refId, chosen(answer.workers, workers), links)] }))),
};

/** The agent tells all workers; names may have a `*` at an end. */
export function chosen(all: readonly Worker[], names: readonly string[]): Worker[] {
  return all.filter(({ hostname }) => names.length === 0 || names.some((name) => covers(name, hostname)));
}
