import { EMPTY, expand, map, type Observable } from 'rxjs';
import type { Audit } from '../../../shared/api';
import type { AuditQuery } from '../../query';
import { rangeParams } from '../filter';
import type { Kind, QueryContext } from '../kind';
import { auditFrame } from './frame';

const PAGE = 1000;
const MOST_ROWS = 10_000;

export const auditKind: Kind<'audit'> = {
  text: ({ user = '', actions = [], target = '' }) =>
    ['Audit', user, actions.join(', '), target].filter((part) => part !== '').join(' '),
  run: (query, context) =>
    entriesOf(query, context).pipe(
      map(({ entries, nextCursor, most }) => ({
        frames: [auditFrame(context.refId, entries, nextCursor !== null)],
        partial: nextCursor !== null && entries.length < most,
      })),
    ),
};

interface Entries {
  readonly entries: Audit['entries'];
  readonly nextCursor: string | null;
  readonly most: number;
}

export function entriesOf(query: Omit<AuditQuery, 'refId' | 'kind'>, context: QueryContext): Observable<Entries> {
  const { client, requestId } = context;
  const { user, actions, outcomes, target } = query;
  const most = Math.min(Math.max(query.limit ?? PAGE, 1), MOST_ROWS);
  const params = { ...rangeParams(context), user, actions, outcomes, target };
  const pageAfter = (cursor: string | undefined, left: number) =>
    client.audit({ ...params, limit: Math.min(left, PAGE), cursor }, requestId);
  return pageAfter(undefined, most).pipe(
    map((page): Entries => ({ ...page, most })),
    expand(({ entries, nextCursor }) =>
      nextCursor === null || entries.length >= most
        ? EMPTY
        : pageAfter(nextCursor, most - entries.length).pipe(
            map((page): Entries => ({ ...page, entries: [...entries, ...page.entries], most })),
          ),
    ),
  );
}
