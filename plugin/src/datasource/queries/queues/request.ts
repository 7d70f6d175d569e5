import { map } from 'rxjs';
import { covers, passesAdHoc } from '../adhoc';
import type { Kind } from '../kind';
import { queuesFrame } from './frame';

export const queuesKind: Kind<'queues'> = {
  text: ({ queues = [] }) => `Queues ${queues.join(', ')}`.trim(),
  run: ({ queues: names = [] }, { client, refId, requestId, links, nowMs, adHocFilters }) =>
    client.queues({}, requestId).pipe(
      map((answer) => {
        const queues = answer.queues.filter(
          ({ name }) =>
            (names.length === 0 || names.some((one) => covers(one, name))) && passesAdHoc('queue', name, adHocFilters),
        );
        return { frames: [queuesFrame(refId, { ...answer, queues }, nowMs, links)] };
      }),
    ),
};
