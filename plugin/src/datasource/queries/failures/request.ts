import { map } from 'rxjs';
import { filterParams, filterText } from '../filter';
import type { Kind } from '../kind';
import { failuresFrame } from './frame';

const MOST_GROUPS = 999;

export const failuresKind: Kind<'failures'> = {
  text: ({ filter }) => `Failures ${filterText(filter)}`.trim(),
  run: (query, context) => {
    const { client, refId, requestId, links } = context;
    const filter = filterParams(query.filter, context);
    const limit = Math.min(Math.max(query.limit ?? 50, 1), MOST_GROUPS);
    return client
      .failures({ ...filter, limit: limit + 1 }, requestId)
      .pipe(map((failures) => ({ frames: [failuresFrame(refId, failures, { filter, limit }, links)] })));
  },
};
